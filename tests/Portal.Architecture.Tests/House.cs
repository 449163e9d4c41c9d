using System.Reflection;
using ArchUnitNET.Domain;
using Assembly = System.Reflection.Assembly;

namespace Portal.Architecture.Tests;

/// <summary>The four projects as their compiled code shows them, and this one with its bad examples.</summary>
internal static class House
{
    public static Assembly Kernel { get; } = typeof(Portal.Kernel.VmName).Assembly;

    public static Assembly Engine { get; } = typeof(Portal.Engine.IVmEngine).Assembly;

    public static Assembly App { get; } = typeof(Portal.App.PortalDb).Assembly;

    public static Assembly Web { get; } = typeof(Program).Assembly;

    public static Assembly Canaries { get; } = typeof(House).Assembly;

    private static readonly Lazy<ArchUnitNET.Domain.Architecture> s_code = new(() => new ArchUnitNET.Loader.ArchLoader().LoadAssemblies(Kernel, Engine, App, Web, Canaries).Build());

    /// <summary>The types of a project that a person wrote.</summary>
    /// <exception cref="InvalidOperationException">None: a rule that looks at nothing would always hold.</exception>
    public static IReadOnlyList<IType> TypesOf(Assembly assembly, Func<IType, bool>? which = null)
    {
        var types = s_code.Value.Types.Where(t => t.Assembly.FullName.StartsWith(assembly.GetName().Name + ",", StringComparison.Ordinal) && (which is null || which(t))).ToList();
        return types.Count > 0 ? types : throw new InvalidOperationException($"No type of {assembly.GetName().Name} is looked at.");
    }

    /// <summary>The types as reflection knows them, without what the compiler made.</summary>
    public static IReadOnlyList<Type> Reflected(params Assembly[] assemblies) =>
        [.. assemblies.SelectMany(a => a.GetTypes()).Where(t => !t.Name.Contains('<', StringComparison.Ordinal) && t.GetCustomAttribute<System.Runtime.CompilerServices.CompilerGeneratedAttribute>() is null)];

    /// <summary>Whether a type stands in a namespace or below it; a generic parameter stands in none.</summary>
    public static bool In(this IType type, string space) =>
        type.Namespace?.FullName is { } own && (own == space || own.StartsWith(space + ".", StringComparison.Ordinal));
}
