using System.Text.Json;
using System.Text.Json.Serialization;

namespace Portal.App.Policies;

/// <summary>A policy's body, and who may vote on a step, as rows keep them: JSON. Rows outlive the code that wrote them, so these words never change; a new word is one that may be missing.</summary>
internal static class WrittenPolicy
{
    public const int MaxLength = 20_000;

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = false,
        Converters = { new JsonStringEnumConverter() },
    };

    public static string Of(PolicyBody body) => JsonSerializer.Serialize(body, s_json);

    public static string Of(IReadOnlyList<Voter> who) => JsonSerializer.Serialize(who, s_json);

    /// <exception cref="JsonException">The text was not written here.</exception>
    public static PolicyBody Read(string text) => JsonSerializer.Deserialize<PolicyBody>(text, s_json)!;

    /// <exception cref="JsonException">The text was not written here.</exception>
    public static IReadOnlyList<Voter> ReadVoters(string text) => JsonSerializer.Deserialize<IReadOnlyList<Voter>>(text, s_json)!;
}
