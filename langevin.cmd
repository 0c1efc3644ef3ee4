@echo off
rem Runs the command from a clone of the repository; builds it first when needed.
dotnet run --configuration Release --verbosity quiet --project "%~dp0src\Langevin.Cli" -- %*
