using System.Diagnostics.CodeAnalysis;

namespace Portal.Kernel;

/// <summary>An identifier of one kind of thing. Ids are UUID version 7, so keys grow with time.</summary>
/// <typeparam name="TSelf">The id's own type.</typeparam>
public interface IId<TSelf>
    where TSelf : struct, IId<TSelf>
{
    /// <summary>The raw value; never empty for an id that a handler accepts.</summary>
    Guid Value { get; }

    /// <summary>Wraps a raw value.</summary>
    static abstract TSelf From(Guid value);
}

/// <summary>Reads ids from text: the one place that refuses empty and malformed ones.</summary>
public static class Id
{
    /// <summary>Parses a UUID in its usual text form; an empty one (all zeros) is not an id.</summary>
    public static bool TryParse<TId>([NotNullWhen(true)] string? text, out TId id)
        where TId : struct, IId<TId>
    {
        if (Guid.TryParse(text, out var value) && value != Guid.Empty)
        {
            id = TId.From(value);
            return true;
        }

        id = default;
        return false;
    }
}
