using System.CommandLine;
using System.CommandLine.Help;
using Portal.Benchmarks;
using Portal.Benchmarks.Bench;
using Portal.Benchmarks.Demo;

// Hosts are Linux, and so is whoever measures them.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

using var interruption = new Interruption();
// Not a RootCommand: that calls itself as the program's file is called, and people type ./portal.
var root = new Command(
    "./portal",
    """
    Works a portal from outside, over its REST API and its console socket, as any other program could.
    ./portal demo and ./portal bench call it, and bring a portal up first where none is.
    """)
{
    new HelpOption(),
    DemoCommand.Create(),
    BenchCommand.Create(),
};

// No time-out of the library's own: after Ctrl-C what was made is removed, and that takes as long as it takes. A second Ctrl-C ends at once.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, interruption.Token);
