namespace Portal.Engine.Simulated;

/// <summary>A domain as the simulated host remembers it.</summary>
/// <param name="State">Off, Running or Paused: it does nothing slowly.</param>
/// <param name="Boots">How often it was started.</param>
/// <param name="SignedIn">Whether someone is signed in on its console.</param>
/// <param name="Typed">What stands on the console's line and was not entered yet.</param>
/// <param name="ByGuest">Where it is off: whether its guest shut itself down.</param>
/// <param name="Saved">Where it is off: whether its memory was kept, so that its next start goes on from there.</param>
internal sealed record SimulatedDomain(
    DomainState State, string HostName, string Address, int Vcpus, long MemoryMiB, int Boots = 0, bool SignedIn = false, string Typed = "", bool ByGuest = false, bool Saved = false);
