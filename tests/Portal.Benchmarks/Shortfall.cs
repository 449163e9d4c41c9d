namespace Portal.Benchmarks;

/// <summary>A part that did not come out as it must. The message says what, and what to do next.</summary>
internal sealed class Shortfall : Exception
{
    public Shortfall(string message)
        : base(message)
    {
    }

    public Shortfall(string message, Exception inner)
        : base(message, inner)
    {
    }
}
