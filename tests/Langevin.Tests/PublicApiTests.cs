using System.Reflection;
using System.Text;

namespace Langevin.Tests;

/// <summary>
/// The public surface of each library is written down in <c>tests/PublicApi</c>: a change to it shows up here and must be made
/// on purpose, by running this test with LANGEVIN_UPDATE_API=1.
/// </summary>
public class PublicApiTests
{
    public static TheoryData<string> Libraries() => ["Langevin", "Langevin.Data", "Langevin.Hub", "Langevin.Metrics", "Langevin.Systems"];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Public_surface_is_the_one_written_down(string library)
    {
        string path = Path.Combine(Shared.Root, "tests", "PublicApi", library + ".txt");
        string now = Describe(Assembly.Load(library));
        if (Environment.GetEnvironmentVariable("LANGEVIN_UPDATE_API") == "1") AtomicFile.WriteAllText(path, now);
        string[] was = File.ReadAllLines(path), lines = now.TrimEnd('\n').Split('\n');
        Assert.Equal([], was.Except(lines)); // gone
        Assert.Equal([], lines.Except(was)); // new
    }

    private static string Describe(Assembly assembly)
    {
        var lines = new List<string>();
        foreach (var type in assembly.GetExportedTypes())
        {
            string name = Name(type);
            lines.Add($"{Kind(type)} {name}{(type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum) ? $" : {Name(b)}" : "")}");
            foreach (var member in type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
                if (Line(member) is { } line) lines.Add($"{name}.{line}");
        }
        lines.Sort(StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (string line in lines.Distinct()) text.Append(line).Append('\n');
        return text.ToString();
    }

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";

    // Members that users can see and that someone wrote: what records and compilers add follows from the rest.
    private static string? Line(MemberInfo member) => member.Name.Contains('<', StringComparison.Ordinal) ? null : member switch
    {
        FieldInfo f when f.IsPublic && f.Name != "value__" => $"{f.Name} : {Name(f.FieldType)}{(f.IsLiteral && f.FieldType.IsEnum ? $" = {Convert.ToInt64(f.GetRawConstantValue(), null)}" : "")}",
        PropertyInfo p when p.Name != "EqualityContract" && (Seen(p.GetMethod) || Seen(p.SetMethod)) =>
            $"{p.Name}{(p.GetIndexParameters().Length > 0 ? $"[{Parameters(p.GetIndexParameters())}]" : "")} : {Name(p.PropertyType)} {{{(Seen(p.GetMethod) ? " get;" : "")}{(Seen(p.SetMethod) ? " set;" : "")} }}",
        EventInfo e when Seen(e.AddMethod) => $"event {e.Name} : {Name(e.EventHandlerType!)}",
        ConstructorInfo c when Seen(c) && !(c.GetParameters() is [var only] && only.ParameterType == c.DeclaringType) => $"new({Parameters(c.GetParameters())})",
        MethodInfo m when Seen(m) && (!m.IsSpecialName || m.Name.StartsWith("op_Impl", StringComparison.Ordinal))
            && m.Name is not ("Equals" or "GetHashCode" or "ToString" or "PrintMembers" or "Deconstruct") =>
            $"{(m.IsStatic ? "static " : "")}{m.Name}({Parameters(m.GetParameters())}) : {Name(m.ReturnType)}",
        _ => null,
    };

    private static bool Seen(MethodBase? method) => method is { IsPublic: true } or { IsFamily: true } or { IsFamilyOrAssembly: true };

    private static string Parameters(ParameterInfo[] parameters) =>
        string.Join(", ", parameters.Select(p => $"{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {p.RawDefaultValue ?? "null"}" : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef || type.IsArray) return Name(type.GetElementType()!) + (type.IsArray ? "[]" : "&");
        if (type.IsGenericParameter) return type.Name;
        string own = (type.DeclaringType is { } outer ? Name(outer) + "." : type.Namespace is { } space && space.StartsWith("Langevin", StringComparison.Ordinal) ? space + "." : "") + type.Name.Split('`')[0];
        return type.IsGenericType ? $"{own}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : own;
    }
}
