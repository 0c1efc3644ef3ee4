namespace Langevin.Hub;

/// <summary>A part of a model: read when the model is, or, where memory is short, when it is needed, and let go afterwards.</summary>
internal sealed class Part<T>(Func<T> read, bool keeps) : IDisposable where T : class, IDisposable
{
    private readonly List<Action<T>> changes = [];
    private T? value;

    public T Value => value ??= Read();

    /// <summary>Reads it now if it is kept.</summary>
    public void Begin()
    {
        if (keeps) _ = Value;
    }

    /// <summary>It is not needed for a while.</summary>
    public void Rest()
    {
        if (!keeps) Dispose();
    }

    /// <summary>Changes it until the result is disposed.</summary>
    /// <param name="undoable">Changes what is kept.</param>
    /// <param name="forGood">Changes what is read anew each time.</param>
    public IDisposable Change(Func<T, IDisposable> undoable, Action<T> forGood)
    {
        if (keeps) return undoable(Value);
        changes.Add(forGood);
        Dispose();
        return new Ending(() => changes.Remove(forGood));
    }

    public void Dispose()
    {
        value?.Dispose();
        value = null;
    }

    private T Read()
    {
        var part = read();
        foreach (var change in changes) change(part);
        return part;
    }
}

/// <summary>Does something when disposed, once.</summary>
internal sealed class Ending(Action end) : IDisposable
{
    private Action? left = end;

    public void Dispose()
    {
        left?.Invoke();
        left = null;
    }
}
