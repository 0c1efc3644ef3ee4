using Langevin.Networks.Layers;
using static TorchSharp.torch;

namespace Langevin.Networks;

/// <summary>Everything that determines the shape of a <see cref="MoleculeEgnn"/>; names and defaults are those of e3_diffusion's constructor.</summary>
public sealed record MoleculeEgnnConfig
{
    /// <summary>Features of an atom, with the time and the context.</summary>
    public int InNodeNf { get; init; } = 6;

    /// <summary>Width of hidden features.</summary>
    public int HiddenNf { get; init; } = 256;

    /// <summary>Features of an atom in the result; null for as many as are given.</summary>
    public int? OutNodeNf { get; init; }

    /// <summary>Blocks, after each of which the places move.</summary>
    public int NLayers { get; init; } = 9;

    /// <summary>Exchanges of messages within a block.</summary>
    public int InvSublayers { get; init; } = 1;

    /// <summary>Whether messages are weighted by a learned gate.</summary>
    public bool Attention { get; init; } = true;

    /// <summary>Whether a neighbour moves a place by at most coords_range.</summary>
    public bool Tanh { get; init; } = true;

    /// <summary>The limit of what a neighbour moves a place by in a block.</summary>
    public double CoordsRange { get; init; } = 15;

    /// <summary>Added to the length that differences of places are divided by.</summary>
    public double NormConstant { get; init; } = 1;

    /// <summary>Whether distances are given as sines and cosines, which no gradient passes.</summary>
    public bool SinEmbedding { get; init; }

    /// <summary>What sums over neighbours are divided by, with "sum".</summary>
    public double NormalizationFactor { get; init; } = 100;

    /// <summary>"sum" or "mean" over neighbours.</summary>
    public string AggregationMethod { get; init; } = "sum";
}

/// <summary>
/// The equivariant graph network of diffusion for molecules (Hoogeboom et al. 2022, section 3 and appendix B), every atom of a molecule a
/// neighbour of every other; structure and state-dict keys of its authors' <c>EGNN</c> (those of their <c>dynamics</c> behind <c>egnn.</c>).
/// </summary>
public sealed class MoleculeEgnn : nn.Module
{
    private readonly Linear embedding, embedding_out;
    private readonly MoleculeBlock[] blocks;

    /// <summary>A network as initialised.</summary>
    /// <exception cref="ArgumentException">A value of the configuration is out of range.</exception>
    public MoleculeEgnn(MoleculeEgnnConfig config) : base(nameof(MoleculeEgnn))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.InNodeNf < 1 || config.HiddenNf < 1 || config.NLayers < 1 || config.InvSublayers < 1 || config.AggregationMethod is not ("sum" or "mean") || !(config.NormalizationFactor > 0))
            throw new ArgumentException("MoleculeEgnn: in_node_nf, hidden_nf, n_layers and inv_sublayers must be at least 1, normalization_factor positive, aggregation_method sum or mean.", nameof(config));
        Config = config;
        embedding = new(config.InNodeNf, config.HiddenNf);
        embedding_out = new(config.HiddenNf, config.OutNodeNf ?? config.InNodeNf);
        blocks = [.. Enumerable.Range(0, config.NLayers).Select(_ => new MoleculeBlock(config))];
        RegisterComponents();
        for (int i = 0; i < blocks.Length; i++) register_module($"e_block_{i}", blocks[i]);
    }

    /// <summary>The shape of the network.</summary>
    public MoleculeEgnnConfig Config { get; }

    /// <summary>Features and places after all blocks; the caller's.</summary>
    /// <param name="h">Features of the atoms, [N, atoms, in_node_nf].</param>
    /// <param name="x">Their places, [N, atoms, 3].</param>
    /// <param name="mask">[N, atoms], 1 for atoms and 0 for empty places of smaller molecules; null where all are atoms.</param>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public (Tensor H, Tensor X) Run(Tensor h, Tensor x, Tensor? mask = null)
    {
        ArgumentNullException.ThrowIfNull(h);
        ArgumentNullException.ThrowIfNull(x);
        if (h.dim() != 3 || h.size(2) != Config.InNodeNf || x.dim() != 3 || x.size(0) != h.size(0) || x.size(1) != h.size(1) || (mask is not null && !mask.shape.SequenceEqual(h.shape[..2])))
            throw new ArgumentException($"MoleculeEgnn: features [{string.Join(", ", h.shape)}], places [{string.Join(", ", x.shape)}] and mask [{string.Join(", ", mask?.shape ?? [])}] do not fit: [N, atoms, {Config.InNodeNf}], [N, atoms, 3], [N, atoms].");
        using var scope = NewDisposeScope();
        var node = Nodes(h, mask);
        // Pairs [N, atoms, atoms, 1]: both are there, and they are two.
        var pair = node.unsqueeze(2) * node.unsqueeze(1) * (1 - eye(h.size(1), h.size(1), h.dtype, h.device).unsqueeze(0).unsqueeze(3));
        var (first, _) = MoleculeBlock.Differences(x, Config.NormConstant);
        var distances = MoleculeBlock.Seen(first, Config.SinEmbedding);
        h = embedding.call(h);
        foreach (var block in blocks) (h, x) = block.Run(h, x, distances, node, pair);
        return ((embedding_out.call(h) * node).MoveToOuterDisposeScope(), x.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// What the network says of a noisy molecule (equation 12): the move of the places, with their mean taken out, and the features' noise. The
    /// time is a feature beside the others.
    /// </summary>
    /// <param name="h">Noisy features, [N, atoms, in_node_nf − 1 − context].</param>
    /// <param name="x">Noisy places about their mean, [N, atoms, 3].</param>
    /// <param name="time">[N], in [0, 1].</param>
    /// <param name="mask">[N, atoms], or null.</param>
    /// <param name="context">Wanted properties, [N, atoms, context], or null.</param>
    public (Tensor H, Tensor X) Dynamics(Tensor h, Tensor x, Tensor time, Tensor? mask = null, Tensor? context = null)
    {
        ArgumentNullException.ThrowIfNull(h);
        ArgumentNullException.ThrowIfNull(time);
        using var scope = NewDisposeScope();
        var node = Nodes(h, mask);
        var told = time.to(h.dtype).view(-1, 1, 1).expand(h.size(0), h.size(1), 1);
        var (features, places) = Run(cat(context is null ? [h, told] : [h, told, context], 2), x * node, mask);
        var move = (places - x * node) * node;
        var mean = move.sum([1L], keepdim: true) / node.sum([1L], keepdim: true);
        return (features.narrow(2, 0, h.size(2)).MoveToOuterDisposeScope(), (move - mean * node).MoveToOuterDisposeScope());
    }

    // [N, atoms, 1]: 1 for atoms.
    private static Tensor Nodes(Tensor h, Tensor? mask) => mask?.to(h.dtype).unsqueeze(2) ?? ones(h.size(0), h.size(1), 1, h.dtype, h.device);
}

/// <summary>Exchanges of messages, and a move of the places.</summary>
internal sealed class MoleculeBlock : nn.Module
{
    private const double Epsilon = 1e-8;
    private static readonly double[] Frequencies = [.. Enumerable.Range(0, (int)Math.Log(2000, 4) + 1).Select(i => 2 * Math.PI * Math.Pow(4, i) / 15)];

    private readonly MoleculeMessages[] messages;
    private readonly MoleculeMove gcl_equiv;
    private readonly MoleculeEgnnConfig config;

    public MoleculeBlock(MoleculeEgnnConfig config) : base(nameof(MoleculeBlock))
    {
        this.config = config;
        int edges = config.SinEmbedding ? 4 * Frequencies.Length : 2;
        messages = [.. Enumerable.Range(0, config.InvSublayers).Select(_ => new MoleculeMessages(config, edges))];
        gcl_equiv = new(config, edges);
        RegisterComponents();
        for (int i = 0; i < messages.Length; i++) register_module($"gcl_{i}", messages[i]);
    }

    public (Tensor H, Tensor X) Run(Tensor h, Tensor x, Tensor first, Tensor node, Tensor pair)
    {
        using var scope = NewDisposeScope();
        var (squares, differences) = Differences(x, config.NormConstant);
        var edges = cat([Seen(squares, config.SinEmbedding), first], 3);
        foreach (var exchange in messages) h = exchange.Run(h, edges, node, pair);
        x = gcl_equiv.Run(h, x, differences, edges, node, pair);
        return ((h * node).MoveToOuterDisposeScope(), x.MoveToOuterDisposeScope());
    }

    /// <summary>‖x_i − x_j‖², [N, atoms, atoms, 1], and (x_i − x_j) / (‖x_i − x_j‖ + c).</summary>
    public static (Tensor Squares, Tensor Differences) Differences(Tensor x, double constant)
    {
        using var scope = NewDisposeScope();
        var differences = x.unsqueeze(2) - x.unsqueeze(1);
        var squares = differences.square().sum([3L], keepdim: true);
        return (squares.MoveToOuterDisposeScope(), (differences / ((squares + Epsilon).sqrt() + constant)).MoveToOuterDisposeScope());
    }

    public static Tensor Seen(Tensor squares, bool sines)
    {
        if (!sines) return squares.alias();
        using var scope = NewDisposeScope();
        var angle = (squares + Epsilon).sqrt() * tensor(Frequencies, squares.dtype, squares.device);
        return cat([angle.sin(), angle.cos()], 3).detach().MoveToOuterDisposeScope();
    }

    /// <summary>Sum over an atom's neighbours, as the configuration scales it.</summary>
    public static Tensor Gathered(Tensor pairs, Tensor pair, MoleculeEgnnConfig config) => WrappedTensorDisposeScope(() => config.AggregationMethod == "sum" ? (pairs * pair).sum([2L]) / config.NormalizationFactor
        : (pairs * pair).sum([2L]) / pairs.size(2)); // the reference counts every edge of a full graph, also those that are masked

    public static Tensor Told(Tensor h, Tensor edges)
    {
        long atoms = h.size(1);
        return cat([h.unsqueeze(2).expand(-1, -1, atoms, -1), h.unsqueeze(1).expand(-1, atoms, -1, -1), edges], 3);
    }
}

/// <summary>m = φ_e(h_i, h_j, distances), gated; h_i + φ_h(h_i, Σ m).</summary>
internal sealed class MoleculeMessages : nn.Module
{
    private readonly Layers.ModuleList<nn.Module<Tensor, Tensor>> edge_mlp, node_mlp;
    private readonly Layers.ModuleList<nn.Module<Tensor, Tensor>>? att_mlp;
    private readonly MoleculeEgnnConfig config;

    public MoleculeMessages(MoleculeEgnnConfig config, int edges) : base(nameof(MoleculeMessages))
    {
        this.config = config;
        long width = config.HiddenNf;
        edge_mlp = new(new Linear(2 * width + edges, width), nn.SiLU(), new Linear(width, width), nn.SiLU());
        node_mlp = new(new Linear(2 * width, width), nn.SiLU(), new Linear(width, width));
        if (config.Attention) att_mlp = new(new Linear(width, 1));
        RegisterComponents();
    }

    public Tensor Run(Tensor h, Tensor edges, Tensor node, Tensor pair)
    {
        using var scope = NewDisposeScope();
        var message = edge_mlp.Through(MoleculeBlock.Told(h, edges));
        if (att_mlp is not null) message = message * att_mlp.Through(message).sigmoid();
        var sum = MoleculeBlock.Gathered(message, pair, config);
        return ((h + node_mlp.Through(cat([h, sum], 2))) * node).MoveToOuterDisposeScope();
    }
}

/// <summary>x_i + Σ (x_i − x_j) φ_x(h_i, h_j, distances).</summary>
internal sealed class MoleculeMove : nn.Module
{
    private readonly Layers.ModuleList<nn.Module<Tensor, Tensor>> coord_mlp;
    private readonly MoleculeEgnnConfig config;

    public MoleculeMove(MoleculeEgnnConfig config, int edges) : base(nameof(MoleculeMove))
    {
        this.config = config;
        long width = config.HiddenNf;
        var last = new Linear(width, 1, bias: false);
        using (no_grad()) foreach (var w in last.parameters()) nn.init.xavier_uniform_(w, gain: 0.001);
        coord_mlp = new(new Linear(2 * width + edges, width), nn.SiLU(), new Linear(width, width), nn.SiLU(), last);
        RegisterComponents();
    }

    public Tensor Run(Tensor h, Tensor x, Tensor differences, Tensor edges, Tensor node, Tensor pair)
    {
        using var scope = NewDisposeScope();
        var push = coord_mlp.Through(MoleculeBlock.Told(h, edges));
        if (config.Tanh) push = push.tanh() * config.CoordsRange;
        return ((x + MoleculeBlock.Gathered(differences * push, pair, config)) * node).MoveToOuterDisposeScope();
    }
}
