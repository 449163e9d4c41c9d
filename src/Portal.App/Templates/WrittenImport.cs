using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Portal.Engine;
using Portal.Kernel;

namespace Portal.App.Templates;

/// <summary>An import as its build's row keeps it: JSON, whose words never change, for rows outlive the code that wrote them. What it says of the template holds from the moment that it is offered.</summary>
public sealed record WrittenImport(string Name, string Description, string SignIn, long MemoryBytes, long DiskBytes, ImageFormat Format, ImagePacking Packing, ImageBoot Boot, string? Address, Guid? Upload, string? Sha256)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        // Kept in a column and shown by nobody as HTML: a letter is a letter.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter() },
    };

    [JsonIgnore]
    public ByteSize Memory => new(MemoryBytes);

    [JsonIgnore]
    public ByteSize Disk => new(DiskBytes);

    [JsonIgnore]
    public ImageImport Image => new(Format, Packing, Boot, Disk, Address, Upload, Sha256);

    /// <summary>Without what the image was fetched with: a query may be a signature that opens more.</summary>
    public WrittenImport AsKept() => this with { Address = Address is null ? null : new Uri(Address).GetLeftPart(UriPartial.Path) };

    public string Write() => JsonSerializer.Serialize(this, s_json);

    /// <summary>Null for the row of a build that is no import.</summary>
    /// <exception cref="JsonException">The text was not written here.</exception>
    public static WrittenImport? Read(string? text) => text is null ? null : JsonSerializer.Deserialize<WrittenImport>(text, s_json);
}
