namespace Portal.Engine.Xen.Import;

/// <summary>What is done when a guest has ended, in Xen's words.</summary>
internal static class ActionWords
{
    /// <param name="text">As in xl.cfg(5) or as libxl writes it (libxl_types.idl, action_on_shutdown), which names one of them differently.</param>
    /// <returns>Null where Xen has no such word.</returns>
    public static ShutdownAction? Parse(string text) => text.Replace('_', '-') switch
    {
        "destroy" => ShutdownAction.Destroy,
        "restart" => ShutdownAction.Restart,
        "rename-restart" or "restart-rename" => ShutdownAction.RestartRenamed,
        "preserve" => ShutdownAction.Preserve,
        "coredump-destroy" => ShutdownAction.CoreDumpAndDestroy,
        "coredump-restart" => ShutdownAction.CoreDumpAndRestart,
        "soft-reset" => ShutdownAction.SoftReset,
        _ => null,
    };

    public static string Meaning(string when, ShutdownAction action) => $"{when}, {action switch
    {
        ShutdownAction.Destroy => "the domain is removed from the host",
        ShutdownAction.Restart => "it is started again",
        ShutdownAction.RestartRenamed => "it is kept under another name and started again",
        ShutdownAction.Preserve => "it is kept as it is",
        ShutdownAction.CoreDumpAndDestroy => "its memory is saved and it is removed from the host",
        ShutdownAction.CoreDumpAndRestart => "its memory is saved and it is started again",
        ShutdownAction.SoftReset => "it is reset and goes on",
    }}.";
}
