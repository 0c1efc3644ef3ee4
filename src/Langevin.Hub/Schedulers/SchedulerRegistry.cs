namespace Langevin.Hub.Schedulers;

/// <summary>The scheduler classes, each a function from its options to what it is made of.</summary>
internal static class SchedulerRegistry
{
    public static IReadOnlyDictionary<string, Func<SchedulerOptions, SchedulerPlan>> Families { get; } = new Dictionary<string, Func<SchedulerOptions, SchedulerPlan>>
    {
        ["DDIMScheduler"] = DdimFamily.Ddim,
        ["DDIMParallelScheduler"] = DdimFamily.Ddim,
        ["DDIMInverseScheduler"] = DdimFamily.Inverse,
        ["CogVideoXDDIMScheduler"] = ConsistencyFamily.CogVideoX,
        ["DDPMScheduler"] = DdpmFamily.Ddpm,
        ["DDPMParallelScheduler"] = DdpmFamily.Ddpm,
        ["DPMSolverMultistepScheduler"] = DpmFamily.Multistep,
        ["DPMSolverMultistepInverseScheduler"] = DpmFamily.Inverse,
        ["DPMSolverSinglestepScheduler"] = DpmFamily.SingleStep,
        ["EDMDPMSolverMultistepScheduler"] = DpmFamily.Edm,
        ["DEISMultistepScheduler"] = DpmFamily.Deis,
        ["UniPCMultistepScheduler"] = UniPcFamily.UniPc,
        ["SASolverScheduler"] = UniPcFamily.SaSolver,
        ["PNDMScheduler"] = PndmFamily.Pndm,
        ["IPNDMScheduler"] = PndmFamily.Improved,
        ["LCMScheduler"] = ConsistencyFamily.Lcm,
        ["TCDScheduler"] = ConsistencyFamily.Tcd,
    };
}
