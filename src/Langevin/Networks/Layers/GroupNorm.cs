using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Langevin.Networks.Layers;

/// <summary>Group normalisation with a scale of one and a shift of zero to begin with (TorchSharp leaves both uninitialised).</summary>
internal sealed class GroupNorm : nn.Module<Tensor, Tensor>
{
    private readonly long groups;
    private readonly double epsilon;
    private readonly Parameter weight, bias;

    public GroupNorm(long groups, long channels, double epsilon) : base(nameof(GroupNorm))
    {
        if (groups < 1 || channels % groups != 0)
            throw new ArgumentException($"Group normalisation cannot split {channels} channels into {groups} groups: choose channels that are a multiple of the number of groups.", nameof(groups));
        (this.groups, this.epsilon) = (groups, epsilon);
        weight = nn.Parameter(ones(channels));
        bias = nn.Parameter(zeros(channels));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => nn.functional.group_norm(x, groups, weight, bias, epsilon);
}
