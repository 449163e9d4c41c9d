using Microsoft.Extensions.Logging;
using Portal.Engine.Shell;

namespace Portal.Engine;

internal static partial class EngineLog
{
    [LoggerMessage(EventId = 1000, Level = LogLevel.Debug, Message = "{Command} exited {ExitCode} in {ElapsedMs} ms")]
    public static partial void CommandRan(this ILogger logger, HostCommand command, int exitCode, long elapsedMs);
}
