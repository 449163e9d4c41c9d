namespace Portal.Engine.Xen.Import;

/// <summary>What became of one setting: understood, and what it means; or not, and why.</summary>
/// <param name="Words">For people; a complete sentence.</param>
/// <param name="Warning">What a person should look at although it was understood.</param>
internal readonly record struct Reading(bool Understood, string Words, string? Warning)
{
    public static Reading Means(string words, string? warning = null) => new(true, words, warning);

    public static Reading Not(string why) => new(false, why, null);
}
