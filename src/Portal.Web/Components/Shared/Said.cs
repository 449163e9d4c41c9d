using System.Globalization;
using Portal.Kernel;

namespace Portal.Web.Components.Shared;

/// <summary>Times, spans and amounts as people say them.</summary>
public static class Said
{
    private static readonly CultureInfo s_words = CultureInfo.InvariantCulture;

    /// <summary>"4 min ago" up to a day, "in 3 h" ahead, then "12 Oct, 14:02", with the year where it is not this one.</summary>
    public static string Ago(DateTimeOffset at, DateTimeOffset now, ViewerZone zone)
    {
        var age = now - at;
        if (age.Duration() >= TimeSpan.FromHours(24))
        {
            var local = zone.Local(at);
            return local.ToString(local.Year == zone.Local(now).Year ? "d MMM, HH:mm" : "d MMM yyyy, HH:mm", s_words);
        }

        return age.Duration() < TimeSpan.FromSeconds(2) ? "now"
            : age > TimeSpan.Zero ? $"{Rough(age)} ago"
            : $"in {Rough(-age)}";
    }

    /// <summary>Local time with its zone's offset, and UTC.</summary>
    public static string Full(DateTimeOffset at, ViewerZone zone)
    {
        var utc = at.UtcDateTime.ToString("d MMM yyyy, HH:mm:ss 'UTC'", s_words);
        var local = zone.Local(at);
        return local.Offset == TimeSpan.Zero ? utc : $"{local.ToString("d MMM yyyy, HH:mm:ss (zzz)", s_words)}, {utc}";
    }

    /// <summary>An instant in UTC, said to be so: for money and audit.</summary>
    public static string Utc(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM yyyy, HH:mm:ss 'UTC'", s_words);

    /// <summary>A day: "24 Dec 2026".</summary>
    public static string Day(DateOnly day) => day.ToString("d MMM yyyy", s_words);

    /// <summary>One unit: 38 s, 4 min, 3 h, 2 days.</summary>
    public static string Rough(TimeSpan span) => span switch
    {
        { TotalSeconds: < 60 } => string.Create(s_words, $"{(int)span.TotalSeconds} s"),
        { TotalMinutes: < 60 } => string.Create(s_words, $"{(int)span.TotalMinutes} min"),
        { TotalHours: < 48 } => string.Create(s_words, $"{(int)span.TotalHours} h"),
        _ => string.Create(s_words, $"{(int)span.TotalDays} days"),
    };

    /// <summary>How long a step took or runs: 0.2 s, 38 s, 4 min 10 s.</summary>
    public static string Took(TimeSpan span) => span switch
    {
        { TotalSeconds: < 10 } => string.Create(s_words, $"{Math.Max(0, span.TotalSeconds):0.0} s"),
        { TotalSeconds: < 60 } => string.Create(s_words, $"{(int)span.TotalSeconds} s"),
        { TotalHours: < 1 } => string.Create(s_words, $"{(int)span.TotalMinutes} min {span.Seconds} s"),
        _ => string.Create(s_words, $"{(int)span.TotalHours} h {span.Minutes} min"),
    };

    /// <summary>A rate or an amount with every decimal that it has: at least two, at most ten, never rounded for the eye.</summary>
    public static string Exact(Money money)
    {
        var format = new NumberFormatInfo { NumberGroupSeparator = "\u00a0", NumberDecimalSeparator = "." };
        var text = money.Amount.ToString("N10", format).TrimEnd('0');
        var decimals = text.Length - text.IndexOf('.', StringComparison.Ordinal) - 1;
        return text + new string('0', Math.Max(0, 2 - decimals)) + "\u00a0" + money.Currency.Code;
    }

    /// <summary>A tax rate: 19 %, 8.1 %.</summary>
    public static string Percent(decimal percent) => percent.ToString("0.####", s_words) + "\u00a0%";

    /// <summary>A day in UTC, with the time where it is not the day's beginning: for prices, which begin at an instant.</summary>
    public static string UtcDay(DateTimeOffset at) => at.UtcDateTime.TimeOfDay == TimeSpan.Zero ? at.UtcDateTime.ToString("d MMM yyyy", s_words) : at.UtcDateTime.ToString("d MMM yyyy, HH:mm", s_words);

    /// <summary>A verb of the audit for people: <c>operation.build.succeeded</c> is "Build succeeded", <c>ssh_key.added</c> "SSH key added".</summary>
    public static string Verb(string verb)
    {
        var words = (verb.StartsWith("operation.", StringComparison.Ordinal) ? verb["operation.".Length..] : verb).Replace('.', ' ').Replace('_', ' ')
            .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => w switch { "vm" => "VM", "ssh" => "SSH", "shutdown" => "shut down", "poweroff" => "force off", _ => w });
        var text = string.Join(' ', words);
        return text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
    }

    /// <summary>"1 VM", "3 VMs".</summary>
    public static string Count(long count, string one, string? many = null) =>
        string.Create(s_words, $"{count} {(count == 1 ? one : many ?? one + "s")}");
}
