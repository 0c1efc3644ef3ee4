namespace Langevin.Systems;

/// <summary>Which way a metric is better.</summary>
public enum Direction
{
    /// <summary>Lower is better.</summary>
    Lower,

    /// <summary>Higher is better.</summary>
    Higher,
}

/// <summary>How long one seed of a full run may take on two cores, the method's arm alone.</summary>
public enum TimeClass
{
    /// <summary>Under a minute.</summary>
    XS,

    /// <summary>One to four minutes.</summary>
    S,

    /// <summary>Four to ten minutes.</summary>
    M,

    /// <summary>Ten to twenty minutes.</summary>
    L,
}

/// <summary>The figure a system is judged by.</summary>
/// <param name="Name">Its name; the suffix -t says that a network trained here gives the features, so that it compares with nothing published.</param>
/// <param name="Better">Which way is better.</param>
/// <param name="Unit">Its unit, if any.</param>
public sealed record Metric(string Name, Direction Better, string Unit = "");

/// <summary>What a system is, for lists and pages.</summary>
public sealed record SystemCard
{
    /// <summary>Its name on the command line, lower case with hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>Its place in the survey by Ahsan et al. (2024): "[2]", "§9.3".</summary>
    public required string Reference { get; init; }

    /// <summary>What it is in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>The paper: authors, year and where its equations are.</summary>
    public required string Paper { get; init; }

    /// <summary>The part of the field: "foundations", "sampling", "medical", ...</summary>
    public required string Domain { get; init; }

    /// <summary>How it works, with the equations that the file follows.</summary>
    public required string Mechanism { get; init; }

    /// <summary>What is as in the paper.</summary>
    public required string Faithful { get; init; }

    /// <summary>What stands in for something larger.</summary>
    public required string StandIn { get; init; }

    /// <summary>What it learns from and is judged on.</summary>
    public required string Data { get; init; }

    /// <summary>What it is judged by.</summary>
    public required Metric Metric { get; init; }

    /// <summary>How long a full run may take.</summary>
    public required TimeClass Time { get; init; }

    /// <summary>Where the figures of the last full run do not say what the paper says: why, as far as is known. Null where they do.</summary>
    public string? Remark { get; init; }
}
