using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Operations;

/// <summary>A change as an operation's row keeps it: JSON whose "kind" says which it is. Rows outlive the code that wrote them, so these words never change.</summary>
internal static class WrittenChange
{
    public const int MaxLength = 4000;

    private static readonly JsonDerivedType[] s_kinds =
    [
        new(typeof(DomainChange.Pause), "pause"),
        new(typeof(DomainChange.Resume), "resume"),
        new(typeof(DomainChange.Save), "save"),
        new(typeof(DomainChange.PressSysRq), "sysRq"),
        new(typeof(DomainChange.SetMemory), "memory"),
        new(typeof(DomainChange.SetVcpus), "vcpus"),
        new(typeof(DomainChange.Pin), "pin"),
        new(typeof(DomainChange.SetShare), "share"),
        new(typeof(DomainChange.MakeVolume), "makeVolume"),
        new(typeof(DomainChange.AttachVolume), "attachVolume"),
        new(typeof(DomainChange.AttachDevice), "attachDevice"),
        new(typeof(DomainChange.DetachVolume), "detachVolume"),
        new(typeof(DomainChange.RemoveVolume), "removeVolume"),
        new(typeof(DomainChange.GrowVolume), "growVolume"),
        new(typeof(DomainChange.TakeSnapshot), "takeSnapshot"),
        new(typeof(DomainChange.RevertToSnapshot), "revertToSnapshot"),
        new(typeof(DomainChange.RemoveSnapshot), "removeSnapshot"),
        new(typeof(DomainChange.AttachNic), "attachNic"),
        new(typeof(DomainChange.DetachNic), "detachNic"),
    ];

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new SizeConverter(), new LabelConverter(), new MacConverter(), new JsonStringEnumConverter<VolumeFormat>() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { Shape } },
    };

    public static string Of(DomainChange change) => JsonSerializer.Serialize(change, s_json);

    /// <summary>Null for the empty text of an operation that is no change.</summary>
    /// <exception cref="JsonException">The text was not written here.</exception>
    public static DomainChange? Read(string text) => text.Length == 0 ? null : JsonSerializer.Deserialize<DomainChange>(text, s_json);

    private static void Shape(JsonTypeInfo type)
    {
        if (!typeof(DomainChange).IsAssignableFrom(type.Type))
        {
            return;
        }

        // What a driver needs for it follows from the kind.
        foreach (var needs in type.Properties.Where(p => p.PropertyType == typeof(DomainAbility)).ToList())
        {
            type.Properties.Remove(needs);
        }

        if (type.Type == typeof(DomainChange))
        {
            type.PolymorphismOptions = new JsonPolymorphismOptions { TypeDiscriminatorPropertyName = "kind" };
            foreach (var kind in s_kinds)
            {
                type.PolymorphismOptions.DerivedTypes.Add(kind);
            }
        }
    }

    private sealed class SizeConverter : JsonConverter<ByteSize>
    {
        public override ByteSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());

        public override void Write(Utf8JsonWriter writer, ByteSize value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Bytes);
    }

    private sealed class LabelConverter : JsonConverter<VolumeLabel>
    {
        public override VolumeLabel Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            VolumeLabel.TryParse(reader.GetString(), out var label) ? label : throw new JsonException("Not a label.");

        public override void Write(Utf8JsonWriter writer, VolumeLabel value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);
    }

    private sealed class MacConverter : JsonConverter<MacAddress>
    {
        public override MacAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            MacAddress.TryParse(reader.GetString(), out var mac) ? mac : throw new JsonException("Not a MAC address.");

        public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
