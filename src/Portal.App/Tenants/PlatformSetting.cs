using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Portal.App.Tenants;

/// <summary>A setting of the whole platform that people change in the browser, such as which set-up steps were skipped.</summary>
public sealed class PlatformSetting
{
    private PlatformSetting()
    {
    }

    public PlatformSetting(string key, string value)
    {
        Key = key;
        Value = value;
    }

    public string Key { get; private set; } = "";

    public string Value { get; private set; } = "";

    public void Change(string value) => Value = value;
}

internal sealed class PlatformSettingConfiguration : IEntityTypeConfiguration<PlatformSetting>
{
    public void Configure(EntityTypeBuilder<PlatformSetting> builder)
    {
        builder.ToTable("settings");
        builder.HasKey(s => s.Key);
        builder.Property(s => s.Key).HasMaxLength(100);
        builder.Property(s => s.Value).HasMaxLength(2000);
        builder.Property<uint>("xmin").IsRowVersion();
    }
}
