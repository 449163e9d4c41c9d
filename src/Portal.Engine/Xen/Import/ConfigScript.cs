using System.Globalization;

namespace Portal.Engine.Xen.Import;

/// <summary>A configuration's text taken apart: what it sets, and which of its lines set nothing that can be read.</summary>
internal sealed record ConfigScript(IReadOnlyList<ConfigSetting> Settings, IReadOnlyList<NotUnderstoodSetting> Problems);

/// <summary>A key and its value.</summary>
/// <param name="Adds">Written with +=: the value is added to what the key had.</param>
internal sealed record ConfigSetting(string Key, ConfigValue Value, int Line, bool Adds);

/// <summary>A value, and the line where it begins.</summary>
internal abstract record ConfigValue(int Line)
{
    /// <summary>The value for people, without its quotes and brackets.</summary>
    public abstract string Shown { get; }
}

/// <summary>A quoted text.</summary>
internal sealed record ConfigText(string Text, int Line) : ConfigValue(Line)
{
    public override string Shown => Text;
}

/// <summary>A whole number.</summary>
internal sealed record ConfigNumber(long Number, int Line) : ConfigValue(Line)
{
    public override string Shown => Number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Values in brackets.</summary>
internal sealed record ConfigList(IReadOnlyList<ConfigValue> Items, int Line) : ConfigValue(Line)
{
    public override string Shown => string.Join("; ", Items.Select(item => item.Shown));
}
