namespace Langevin.Hub.Schedulers;

/// <summary>The scheduler classes, each a function from its options to what it is made of.</summary>
internal static class SchedulerRegistry
{
    public static IReadOnlyDictionary<string, Func<SchedulerOptions, SchedulerPlan>> Families { get; } = new Dictionary<string, Func<SchedulerOptions, SchedulerPlan>>
    {
        ["DDIMScheduler"] = DdimFamily.Ddim,
        ["DDIMParallelScheduler"] = DdimFamily.Ddim,
        ["DDIMInverseScheduler"] = DdimFamily.Inverse,
        ["CogVideoXDDIMScheduler"] = CogVideoFamily.Ddim,
        ["CogVideoXDPMScheduler"] = CogVideoFamily.Dpm,
        ["DDPMScheduler"] = DdpmFamily.Ddpm,
        ["DDPMParallelScheduler"] = DdpmFamily.Ddpm,
        ["UnCLIPScheduler"] = DdpmFamily.UnClip,
        ["DDPMWuerstchenScheduler"] = DdpmFamily.Wuerstchen,
        ["RePaintScheduler"] = RePaintFamily.RePaint,
        ["ScoreSdeVeScheduler"] = ScoreSdeFamily.Ve,
        ["ScoreSdeVpScheduler"] = ScoreSdeFamily.Vp,
        ["KarrasVeScheduler"] = ScoreSdeFamily.KarrasVe,
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
        ["FlowMapEulerDiscreteScheduler"] = FlowMatchFamily.Map,
        ["LTXEulerAncestralRFScheduler"] = FlowMatchFamily.Ancestral,
        ["MiniMaxH3Scheduler"] = FlowMatchFamily.Towards,
        ["DPMSolverMultistepScheduler"] = DpmFamily.Multistep,
        ["DPMSolverMultistepInverseScheduler"] = DpmFamily.Inverse,
        ["DPMSolverSinglestepScheduler"] = DpmFamily.SingleStep,
        ["EDMDPMSolverMultistepScheduler"] = DpmFamily.Edm,
        ["CosineDPMSolverMultistepScheduler"] = EdmFamily.Cosine,
        ["DEISMultistepScheduler"] = DpmFamily.Deis,
        ["UniPCMultistepScheduler"] = UniPcFamily.UniPc,
        ["SASolverScheduler"] = UniPcFamily.SaSolver,
        ["PNDMScheduler"] = PndmFamily.Pndm,
        ["IPNDMScheduler"] = PndmFamily.Improved,
        ["LCMScheduler"] = ConsistencyFamily.Lcm,
        ["TCDScheduler"] = ConsistencyFamily.Tcd,
        ["SCMScheduler"] = ConsistencyFamily.Trigonometric,
        ["ConsistencyDecoderScheduler"] = ConsistencyFamily.Decoder,
    };

    /// <summary>Classes that are known and cannot be read, and why.</summary>
    public static IReadOnlyDictionary<string, string> Refused { get; } = new Dictionary<string, string>
    {
        ["VQDiffusionScheduler"] = Tokens,
        ["AmusedScheduler"] = Tokens,
        ["BlockRefinementScheduler"] = Tokens,
        ["DiscreteDDIMScheduler"] = Tokens,
        ["EntropyBoundScheduler"] = Tokens,
        ["HeliosScheduler"] = Pyramid,
        ["HeliosDMDScheduler"] = Pyramid,
    };

    private const string Tokens = "it draws discrete tokens, and the processes here are of continuous data with Gaussian noise";
    private const string Pyramid = "it samples in stages of growing size with noise added between them, and a process here keeps its size";
}
