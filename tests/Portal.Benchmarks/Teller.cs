using System.Globalization;

namespace Portal.Benchmarks;

/// <summary>Tells a person what happens: numbered parts, and lines below each. Colour on a terminal only.</summary>
internal sealed class Teller(TextWriter to, TimeProvider clock, bool colour)
{
    private const string Bold = "\e[1m";
    private const string Dim = "\e[2m";
    private const string Red = "\e[31m";
    private const string Plain = "\e[0m";

    private readonly long _began = clock.GetTimestamp();
    private int _part;

    public static Teller OnConsole() => new(Console.Out, TimeProvider.System, IsColourWanted(Console.IsOutputRedirected));

    /// <summary>For commands whose standard output is for programs.</summary>
    public static Teller OnError() => new(Console.Error, TimeProvider.System, IsColourWanted(Console.IsErrorRedirected));

    /// <summary>Since the teller was made.</summary>
    public TimeSpan Elapsed => clock.GetElapsedTime(_began);

    public void Title(string text) => to.WriteLine(Paint(Bold, text));

    public void Part(string text)
    {
        to.WriteLine();
        to.WriteLine($"{Paint(Dim, Seconds(Elapsed).PadLeft(8))}  {Paint(Bold, string.Create(CultureInfo.InvariantCulture, $"{++_part}. {text}"))}");
    }

    public void Line(string text = "") => to.WriteLine($"{new string(' ', 10)}{text}".TrimEnd());

    /// <summary>A name and what is to be said of it, in columns.</summary>
    public void Fact(string name, string text) => Line($"{name,-16} {text}");

    /// <summary>What a machine said, as it said it.</summary>
    public void Quote(string text) => Line(Paint(Dim, "| ") + text);

    public void Failed(string text)
    {
        to.WriteLine();
        to.WriteLine($"{Paint(Red, "Failed:")} {text}");
    }

    public static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");

    /// <summary>https://no-color.org, and a terminal that says it can do nothing.</summary>
    private static bool IsColourWanted(bool redirected) =>
        !redirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    private string Paint(string with, string text) => colour ? with + text + Plain : text;
}
