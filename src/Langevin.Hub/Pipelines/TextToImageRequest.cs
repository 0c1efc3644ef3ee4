using Langevin.Networks;
using static TorchSharp.torch;

namespace Langevin.Hub;

/// <summary>What pictures are wanted: from a prompt alone, after a picture, in a hole of one, along edges or depth, or a picture enlarged.</summary>
public sealed record TextToImageRequest
{
    /// <summary>One prompt a picture.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>What is not wanted, for all pictures.</summary>
    public string Negative { get; init; } = "";

    /// <summary>How prompts are read.</summary>
    public PromptOptions Reading { get; init; } = new();

    /// <summary>w of classifier-free guidance; 1 is none.</summary>
    public double Guidance { get; init; } = 7.5;

    /// <summary>Steps of the model's scheduler.</summary>
    public int Steps { get; init; } = 25;

    /// <summary>Decides the noise: picture i is the same whatever the number of pictures.</summary>
    public long Seed { get; init; }

    /// <summary>Number of the first picture, where many are made in several requests.</summary>
    public long First { get; init; }

    /// <summary>Height in pixels; null for that of <see cref="Picture"/>, or what the model was made for.</summary>
    public int? Height { get; init; }

    /// <summary>Width in pixels; null for that of <see cref="Picture"/>, or what the model was made for.</summary>
    public int? Width { get; init; }

    /// <summary>A picture to begin from, or the one to enlarge, [1 or N, channels, H, W] in [−1, 1]; null to begin from noise.</summary>
    public Tensor? Picture { get; init; }

    /// <summary>With a picture: the share of the steps that is walked from it with noise added, in (0, 1] (SDEdit, Meng et al. 2022); at 1 little of it is left.</summary>
    public double Strength { get; init; } = 0.8;

    /// <summary>With a picture: 1 where it is made anew and 0 where it is kept, [1 or N, 1, H, W].</summary>
    public Tensor? Mask { get; init; }

    /// <summary>Pictures that steer.</summary>
    public IReadOnlyList<Control> Controls { get; init; } = [];

    /// <summary>For a model that enlarges: the step of its table by which the small picture is noised, which hides that picture's own flaws.</summary>
    public int NoiseLevel { get; init; } = 20;

    /// <summary>The share of the noise, counted in the table's steps from its end, at which to stop: less than 1 leaves the rest to a refiner.</summary>
    public double Until { get; init; } = 1;

    /// <summary>For a refiner: a code as another model with the same scheduler stopped at, to be taken up at <see cref="From"/>.</summary>
    public Tensor? Code { get; init; }

    /// <summary>The share of the noise at which <see cref="Code"/> was left.</summary>
    public double From { get; init; }
}

/// <summary>A picture that steers by a ControlNet.</summary>
/// <param name="Net">The net; it remains the caller's.</param>
/// <param name="Picture">Edges, depth, a pose, ..., as the net was trained with: [1 or N, channels, H, W] in [0, 1].</param>
/// <param name="Scale">How much it counts.</param>
public sealed record Control(ControlNet Net, Tensor Picture, double Scale = 1);

/// <summary>How a model is held in memory.</summary>
public sealed record LoadOptions
{
    /// <summary>Type of the large layers' weights; null for single precision. Half precision halves the memory; computation stays in the type of the input.</summary>
    public ScalarType? Type { get; init; }

    /// <summary>Whether parts are read when they are needed and let go afterwards, so that never more than the largest is in memory.</summary>
    public bool Sequential { get; init; }

    /// <summary>Side of the tiles, in codes, in which pictures that are larger are encoded and decoded; null for none.</summary>
    public int? TileSize { get; init; }
}
