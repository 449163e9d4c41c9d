namespace Portal.App.Operations;

/// <summary>What one step does on the host. Each looks first, acts if needed, and is safe to repeat.</summary>
public enum StepKind
{
    CloneDisk,
    WriteSeed,
    DefineDomain,
    StartDomain,
    AskShutdown,
    WaitForOff,
    PowerOff,
    RemoveDomain,
    RemoveDisks,

    /// <summary>The one step of a change; which stands with its operation.</summary>
    ChangeDomain,

    /// <summary>Of a domain that is adopted, and still has its own name.</summary>
    AskForeignShutdown,
    WaitForForeignOff,
    TakeOver,

    /// <summary>Only where it ran.</summary>
    StartAdopted,

    /// <summary>Of a move, on the host to which it goes; so are the next three.</summary>
    BringTemplate,
    MakeDisksThere,
    CopyDisks,
    DefineThere,

    /// <summary>On the host from which it goes: after this it cannot be started there.</summary>
    LeaveHost,

    /// <summary>In the books alone; from then on a move is not taken back.</summary>
    ChangeHost,

    /// <summary>Only where it ran.</summary>
    StartThere,
    RemoveLeft,

    /// <summary>Of a detaching, while the guest runs.</summary>
    CopyTemplate,

    /// <summary>From then on a detaching is not taken back.</summary>
    TakeCopy,

    /// <summary>Only where it is to run.</summary>
    StartAgain,
    RemoveClone,
}

/// <summary>Which steps an operation has, in their order, and how they are called.</summary>
public static class StepPlan
{
    public static IReadOnlyList<StepKind> Of(OperationKind kind) => kind switch
    {
        OperationKind.Build => [StepKind.CloneDisk, StepKind.WriteSeed, StepKind.DefineDomain, StepKind.StartDomain],
        OperationKind.Start => [StepKind.DefineDomain, StepKind.StartDomain],
        OperationKind.ShutDown => [StepKind.AskShutdown, StepKind.WaitForOff],
        OperationKind.PowerOff => [StepKind.PowerOff],
        OperationKind.Reboot => [StepKind.AskShutdown, StepKind.WaitForOff, StepKind.DefineDomain, StepKind.StartDomain],
        OperationKind.Delete => [StepKind.RemoveDomain, StepKind.RemoveDisks],
        OperationKind.Change => [StepKind.ChangeDomain],
        OperationKind.Adopt => [StepKind.AskForeignShutdown, StepKind.WaitForForeignOff, StepKind.TakeOver, StepKind.DefineDomain, StepKind.StartAdopted],
        OperationKind.Move =>
        [
            // What can be made while it still runs is made first, and so taken back only after it runs again.
            StepKind.BringTemplate, StepKind.MakeDisksThere, StepKind.AskShutdown, StepKind.WaitForOff, StepKind.PowerOff, StepKind.CopyDisks, StepKind.DefineThere, StepKind.LeaveHost,
            StepKind.ChangeHost, StepKind.StartThere, StepKind.RemoveLeft,
        ],
        OperationKind.Detach => [StepKind.CopyTemplate, StepKind.AskShutdown, StepKind.WaitForOff, StepKind.TakeCopy, StepKind.StartAgain, StepKind.RemoveClone],
    };

    /// <summary>A step for people.</summary>
    public static string Words(this StepKind step) => step switch
    {
        StepKind.CloneDisk => "Clone the disk from the template",
        StepKind.WriteSeed => "Write name, keys and address for the first boot",
        StepKind.DefineDomain => "Define the domain on the host",
        StepKind.StartDomain => "Start the domain",
        StepKind.AskShutdown => "Ask the guest to shut down",
        StepKind.WaitForOff => "Wait until the guest is off",
        StepKind.PowerOff => "Take the power away",
        StepKind.RemoveDomain => "Remove the domain from the host",
        StepKind.RemoveDisks => "Wipe and remove the disks",
        StepKind.ChangeDomain => "Change the domain on the host",
        StepKind.AskForeignShutdown => "Ask the guest to shut down, under its old name",
        StepKind.WaitForForeignOff => "Wait until it is off",
        StepKind.TakeOver => "Give its disks the VM's name, and copy its kernel",
        StepKind.StartAdopted => "Start it again, if it ran",
        StepKind.BringTemplate => "Bring its template's kernel to the new host",
        StepKind.MakeDisksThere => "Make empty disks on the new host",
        StepKind.CopyDisks => "Copy the disks, and compare them",
        StepKind.DefineThere => "Define the domain on the new host",
        StepKind.LeaveHost => "Remove the domain from the old host",
        StepKind.ChangeHost => "Say that it is on the new host",
        StepKind.StartThere => "Start it there, if it ran",
        StepKind.RemoveLeft => "Wipe and remove the disks on the old host",
        StepKind.CopyTemplate => "Copy what its disk is a clone of, beside the guest",
        StepKind.TakeCopy => "Copy what the guest has changed, compare, and exchange the disks",
        StepKind.StartAgain => "Start it again, if it is to run",
        StepKind.RemoveClone => "Wipe and remove the clone",
    };

    /// <summary>A kind of operation for people, as a verb: "Build", "Shut down". Which change a change is, says the operation.</summary>
    public static string Words(this OperationKind kind) => kind switch
    {
        OperationKind.Build => "Build",
        OperationKind.Start => "Start",
        OperationKind.ShutDown => "Shut down",
        OperationKind.PowerOff => "Force off",
        OperationKind.Reboot => "Reboot",
        OperationKind.Delete => "Delete",
        OperationKind.Change => "Change",
        OperationKind.Adopt => "Adopt",
        OperationKind.Move => "Move",
        OperationKind.Detach => "Detach from its template",
    };
}
