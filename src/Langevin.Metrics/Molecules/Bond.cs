namespace Langevin.Metrics.Molecules;

/// <summary>A covalent bond of two atoms.</summary>
/// <param name="First">Index of an atom.</param>
/// <param name="Second">Index of the other.</param>
/// <param name="Order">1 to 3; aromatic rings are written with single and double bonds.</param>
public readonly record struct Bond(int First, int Second, int Order);
