namespace Portal.Web.Components;

internal static partial class WebLog
{
    [LoggerMessage(EventId = 8001, Level = LogLevel.Error, Message = "A page failed, reference {Reference}")]
    public static partial void PageFailed(this ILogger logger, Exception fault, string reference);
}
