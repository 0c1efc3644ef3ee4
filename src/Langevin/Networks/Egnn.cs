using Langevin.Networks.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = Langevin.Networks.Layers.Linear;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of an <see cref="Egnn"/>.</summary>
public sealed record EgnnConfig
{
    /// <summary>Features of a node.</summary>
    public int InNodeNf { get; init; } = 1;

    /// <summary>Width of hidden features.</summary>
    public int HiddenNf { get; init; } = 64;

    /// <summary>Features of a node in the result.</summary>
    public int OutNodeNf { get; init; } = 1;

    /// <summary>Features of an edge; 0 for none.</summary>
    public int InEdgeNf { get; init; }

    /// <summary>Layers.</summary>
    public int NLayers { get; init; } = 4;

    /// <summary>Whether a layer adds to the features rather than replaces them.</summary>
    public bool Residual { get; init; } = true;

    /// <summary>Whether messages are weighted by a learned gate.</summary>
    public bool Attention { get; init; }

    /// <summary>Whether differences of places are divided by their length.</summary>
    public bool Normalize { get; init; }

    /// <summary>Whether a message moves a place by at most its difference.</summary>
    public bool Tanh { get; init; }
}

/// <summary>
/// An equivariant graph network (Satorras et al. 2021, equations 3 to 6): turned and shifted places give turned and shifted places, and the
/// same features. Structure and state-dict keys of the authors' <c>egnn_clean</c>.
/// </summary>
public sealed class Egnn : nn.Module
{
    private readonly Linear embedding_in, embedding_out;
    private readonly EgnnLayer[] layers;

    /// <summary>A network as initialised.</summary>
    /// <exception cref="ArgumentException">A value of the configuration is out of range.</exception>
    public Egnn(EgnnConfig config) : base(nameof(Egnn))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.InNodeNf < 1 || config.HiddenNf < 1 || config.OutNodeNf < 1 || config.InEdgeNf < 0 || config.NLayers < 1)
            throw new ArgumentException("Egnn: in_node_nf, hidden_nf, out_node_nf and n_layers must be at least 1, in_edge_nf at least 0.", nameof(config));
        Config = config;
        embedding_in = new(config.InNodeNf, config.HiddenNf);
        embedding_out = new(config.HiddenNf, config.OutNodeNf);
        layers = [.. Enumerable.Range(0, config.NLayers).Select(_ => new EgnnLayer(config))];
        RegisterComponents();
        for (int i = 0; i < layers.Length; i++) register_module($"gcl_{i}", layers[i]);
    }

    /// <summary>The shape of the network.</summary>
    public EgnnConfig Config { get; }

    /// <summary>Features and places after all layers; the caller's.</summary>
    /// <param name="h">Features of the nodes, [nodes, in_node_nf].</param>
    /// <param name="x">Their places, [nodes, dimensions].</param>
    /// <param name="rows">int64 [edges]: the node that an edge informs.</param>
    /// <param name="columns">int64 [edges]: the node that it tells of.</param>
    /// <param name="edges">Features of the edges, [edges, in_edge_nf], or null.</param>
    /// <exception cref="ArgumentException">A shape does not fit, or an edge has no such node.</exception>
    public (Tensor H, Tensor X) Run(Tensor h, Tensor x, Tensor rows, Tensor columns, Tensor? edges = null)
    {
        ArgumentNullException.ThrowIfNull(h);
        ArgumentNullException.ThrowIfNull(x);
        if (h.dim() != 2 || h.size(1) != Config.InNodeNf || x.dim() != 2 || x.size(0) != h.size(0) || rows.dim() != 1 || columns.dim() != 1 || rows.size(0) != columns.size(0)
            || (edges is null ? Config.InEdgeNf > 0 : edges.dim() != 2 || edges.size(1) != Config.InEdgeNf || edges.size(0) != rows.size(0)))
            throw new ArgumentException($"Egnn: features [{string.Join(", ", h.shape)}], places [{string.Join(", ", x.shape)}], edges [{string.Join(", ", rows.shape)}] and [{string.Join(", ", columns.shape)}] with features [{string.Join(", ", edges?.shape ?? [])}] do not fit in_node_nf {Config.InNodeNf} and in_edge_nf {Config.InEdgeNf}.");
        Check.Index(rows, h.size(0), "row", nameof(Egnn));
        Check.Index(columns, h.size(0), "column", nameof(Egnn));
        using var scope = NewDisposeScope();
        h = embedding_in.call(h);
        foreach (var layer in layers) (h, x) = layer.Run(h, x, rows, columns, edges);
        return (embedding_out.call(h).MoveToOuterDisposeScope(), x.MoveToOuterDisposeScope());
    }
}

/// <summary>One exchange of messages: m = φ_e(h_i, h_j, ‖x_i − x_j‖², a), x_i + mean (x_i − x_j) φ_x(m), φ_h(h_i, Σ m).</summary>
internal sealed class EgnnLayer : nn.Module
{
    private const double Epsilon = 1e-8;
    private readonly Layers.ModuleList<nn.Module<Tensor, Tensor>> edge_mlp, node_mlp, coord_mlp;
    private readonly Layers.ModuleList<nn.Module<Tensor, Tensor>>? att_mlp;
    private readonly EgnnConfig config;

    public EgnnLayer(EgnnConfig config) : base(nameof(EgnnLayer))
    {
        this.config = config;
        long width = config.HiddenNf;
        edge_mlp = new(new Linear(2 * width + 1 + config.InEdgeNf, width), nn.SiLU(), new Linear(width, width), nn.SiLU());
        node_mlp = new(new Linear(2 * width, width), nn.SiLU(), new Linear(width, width));
        var last = new Linear(width, 1, bias: false);
        using (no_grad()) foreach (var w in last.parameters()) nn.init.xavier_uniform_(w, gain: 0.001);
        coord_mlp = new(new Linear(width, width), nn.SiLU(), last);
        if (config.Attention) att_mlp = new(new Linear(width, 1));
        RegisterComponents();
    }

    public (Tensor H, Tensor X) Run(Tensor h, Tensor x, Tensor rows, Tensor columns, Tensor? edges)
    {
        using var scope = NewDisposeScope();
        var difference = x.index_select(0, rows) - x.index_select(0, columns);
        var radial = difference.square().sum([1L], keepdim: true);
        if (config.Normalize) difference = difference / (radial.sqrt().detach() + Epsilon);
        Tensor[] told = [h.index_select(0, rows), h.index_select(0, columns), radial];
        var message = edge_mlp.Through(cat(edges is null ? told : [.. told, edges], 1));
        if (att_mlp is not null) message = message * att_mlp.Through(message).sigmoid();
        var push = coord_mlp.Through(message);
        if (config.Tanh) push = push.tanh();
        var moved = zeros_like(x).index_add(0, rows, difference * push, 1);
        var count = zeros(x.size(0), 1, x.dtype, x.device).index_add(0, rows, ones_like(radial), 1).clamp_min(1);
        var sum = zeros_like(h).index_add(0, rows, message, 1);
        var next = node_mlp.Through(cat([h, sum], 1));
        return ((config.Residual ? h + next : next).MoveToOuterDisposeScope(), (x + moved / count).MoveToOuterDisposeScope());
    }
}
