using System.Text.Json;

namespace Portal.Engine.Xen.Import;

/// <summary>A part of what libxl wrote in JSON. It leaves out whatever has its default value, so everything may be missing.</summary>
internal readonly record struct JsonPart(JsonElement Element)
{
    public JsonPart this[string name] => new(Element.ValueKind == JsonValueKind.Object && Element.TryGetProperty(name, out var value) ? value : default);

    /// <summary>Null where this is no text, or one with control characters in it.</summary>
    public string? Text => Element.ValueKind == JsonValueKind.String && Element.GetString() is { Length: > 0 } text && !text.Any(char.IsControl) ? text : null;

    /// <summary>Null where this is no whole number, or a negative one: so libxl writes what is not set.</summary>
    public long? Number => Element.ValueKind == JsonValueKind.Number && Element.TryGetInt64(out var number) && number >= 0 ? number : null;

    /// <summary>Nothing where this is no list.</summary>
    public IReadOnlyList<JsonPart> Items => Element.ValueKind == JsonValueKind.Array ? [.. Element.EnumerateArray().Select(item => new JsonPart(item))] : [];

    /// <summary>As JSON, on one line.</summary>
    public override string ToString() => Element.ValueKind == JsonValueKind.Undefined ? "" : JsonSerializer.Serialize(Element);
}
