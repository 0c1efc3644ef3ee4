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
        ["UnCLIPScheduler"] = DdpmFamily.UnClip,
        ["EulerDiscreteScheduler"] = KDiffusionFamily.Euler,
        ["EulerAncestralDiscreteScheduler"] = KDiffusionFamily.EulerAncestral,
        ["HeunDiscreteScheduler"] = KDiffusionFamily.Heun,
        ["KDPM2DiscreteScheduler"] = KDiffusionFamily.Dpm2,
        ["KDPM2AncestralDiscreteScheduler"] = KDiffusionFamily.Dpm2Ancestral,
        ["LMSDiscreteScheduler"] = KDiffusionFamily.Lms,
        ["DPMSolverSDEScheduler"] = KDiffusionFamily.DpmSde,
        ["EDMEulerScheduler"] = EdmFamily.Euler,
        ["CMStochasticIterativeScheduler"] = EdmFamily.Consistency,
        ["FlowMatchEulerDiscreteScheduler"] = FlowMatchFamily.Euler,
        ["FlowMatchHeunDiscreteScheduler"] = FlowMatchFamily.Heun,
        ["FlowMatchLCMScheduler"] = FlowMatchFamily.Consistency,
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
