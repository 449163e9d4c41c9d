namespace Portal.Web.Vms;

/// <summary>What a person can ask of a VM on its page.</summary>
public enum VmWish
{
    Start,
    ShutDown,
    PowerOff,
    Reboot,
    BuildAgain,
    Delete,
    Pause,
    Resume,
    Save,
    SysRq,
}
