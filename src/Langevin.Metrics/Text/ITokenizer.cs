namespace Langevin.Metrics.Text;

/// <summary>Cuts a text into the tokens that a metric counts. The metrics themselves take tokens of any kind.</summary>
public interface ITokenizer
{
    /// <summary>The tokens of a text in order; none for an empty text.</summary>
    IReadOnlyList<string> Tokenize(string text);
}
