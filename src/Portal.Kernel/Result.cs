using System.Diagnostics.CodeAnalysis;

namespace Portal.Kernel;

/// <summary>An expected "no" of the system: a stable code for programs and tests, and a sentence that says what to do next.</summary>
/// <param name="Code">Stable, dotted, lower case: <c>quota.memory</c>.</param>
/// <param name="Message">For the person who asked; complete sentences, no internals.</param>
public abstract record Refusal(string Code, string Message)
{
    /// <summary>How the refusal answers over HTTP; the default fits a rule that was not met.</summary>
    public virtual RefusalKind Kind => RefusalKind.Rule;

    /// <summary>The field of the request that is at fault, in the request's own spelling; null where no single one is.</summary>
    public virtual string? Field => null;

    /// <summary>Which of several equal parts of the request the field is in: <c>lines[1]</c>; null where there is one part.</summary>
    public string? Within { get; init; }

    /// <summary>The field with the part that it is in: <c>lines[1].name</c>.</summary>
    public string? Path => Within is null ? Field : Field is null ? Within : $"{Within}.{Field}";

    /// <summary>What stands against other fields of the same request, so that a form can say all of it at once.</summary>
    public IReadOnlyList<Refusal> Also { get; init; } = [];

    /// <summary>The same, with what it says of other fields, in a part of the request.</summary>
    public Refusal In(string part) => this with { Within = part, Also = [.. Also.Select(r => r.In(part))] };

    /// <summary>What stands against a field; null where nothing does.</summary>
    public string? On(string field) => Field == field ? Message : Also.FirstOrDefault(r => r.Field == field)?.Message;
}

/// <summary>What sort of "no" a refusal is.</summary>
public enum RefusalKind
{
    /// <summary>A rule of the house says no (409).</summary>
    Rule,

    /// <summary>The request itself is malformed or out of range (422).</summary>
    Invalid,

    /// <summary>It does not exist, or not for this person: the two are never told apart (404).</summary>
    NotFound,

    /// <summary>The person may see it, but not do this (403).</summary>
    Forbidden,

    /// <summary>Something outside is not there at the moment; the same request may work later (503).</summary>
    Unavailable,
}

/// <summary>A value or a refusal.</summary>
public readonly struct Result<T>
{
    private readonly T? _value;

    private Result(T? value, Refusal? refusal)
    {
        _value = value;
        Refusal = refusal;
    }

    /// <summary>Why not; null when there is a value.</summary>
    public Refusal? Refusal { get; }

    public bool Succeeded => Refusal is null;

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">It was refused.</exception>
    public T Value => Refusal is null ? _value! : throw new InvalidOperationException($"Refused: {Refusal.Code}: {Refusal.Message}");

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Refusal refusal) => new(default, refusal);

    public static Result<T> Of(T value) => new(value, null);

    public static Result<T> Of(Refusal refusal) => new(default, refusal);

    /// <summary>Takes the two cases apart.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T value, [NotNullWhen(false)] out Refusal? refusal)
    {
        value = _value;
        refusal = Refusal;
        return refusal is null;
    }
}

/// <summary>The value of a handler that has nothing to tell but that it was done.</summary>
public readonly record struct Done;
