using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;
using ArchUnitNET.Domain;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Logging;
using Portal.App.Access;
using Portal.Kernel;
using Assembly = System.Reflection.Assembly;

namespace Portal.Architecture.Tests;

/// <summary>The rules. Each answers with what breaks it, in words; the same function is tried on a bad example.</summary>
internal static class Rules
{
    /// <summary>A project references these and nothing else.</summary>
    public static IEnumerable<string> References(Assembly assembly, params string[] allowed) =>
        from reference in assembly.GetReferencedAssemblies()
        where !allowed.Any(a => reference.Name == a || reference.Name!.StartsWith(a + ".", StringComparison.Ordinal))
        select $"{assembly.GetName().Name} references {reference.Name}";

    /// <summary>None of the types uses what is forbidden.</summary>
    public static IEnumerable<string> Use(IEnumerable<IType> types, Func<IType, bool> forbidden) =>
        (from type in types from dependency in type.Dependencies where forbidden(dependency.Target) select $"{type.FullName} uses {dependency.Target.FullName}").Distinct();

    /// <summary>None of the types makes one of another.</summary>
    public static IEnumerable<string> Make(IEnumerable<IType> types, string made) =>
        (from type in types
         from call in type.Dependencies.OfType<ArchUnitNET.Domain.Dependencies.MethodCallDependency>()
         where call.Target.FullName == made && call.TargetMember.Name.StartsWith(".ctor", StringComparison.Ordinal)
         select $"{type.FullName} makes {made}").Distinct();

    /// <summary>What stands under one root namespace, by its first part, forms no circle.</summary>
    /// <param name="together">Parts that count as one.</param>
    public static IEnumerable<string> Circles(IReadOnlyList<IType> types, string root, params string[][] together)
    {
        var arrows = (from type in types
                      from dependency in type.Dependencies
                      let source = SliceOf(type)
                      let target = SliceOf(dependency.Target)
                      where source is not null && target is not null && source != target
                      select (source, target)).Distinct().ToLookup(a => a.source!, a => a.target!);
        foreach (var (source, target) in arrows.SelectMany(g => g.Select(t => (g.Key, t))))
        {
            if (Reaches(target, source, []))
            {
                yield return $"{source} -> {target} -> ... -> {source}";
            }
        }

        bool Reaches(string source, string target, HashSet<string> seen) => source == target || (seen.Add(source) && arrows[source].Any(next => Reaches(next, target, seen)));

        string? SliceOf(IType type)
        {
            if (type.Namespace?.FullName is not { } space || !space.StartsWith(root + ".", StringComparison.Ordinal))
            {
                return null;
            }

            var slice = space[(root.Length + 1)..].Split('.')[0];
            return together.FirstOrDefault(t => t.Contains(slice)) is { } one ? string.Join("+", one) : slice;
        }
    }

    /// <summary>Entities guard themselves: nobody sets a property from outside, and only EF makes one out of nothing.</summary>
    public static IEnumerable<string> OpenEntities(IEnumerable<IReadOnlyEntityType> entities) =>
        from entity in entities
        from broken in entity.GetProperties().Where(p => p.PropertyInfo?.SetMethod?.IsPublic == true).Select(p => $"{entity.ClrType.Name}.{p.Name} has a public setter")
            .Concat(entity.ClrType.GetConstructor(BindingFlags.Instance | BindingFlags.Public, []) is null ? [] : [$"{entity.ClrType.Name} can be made empty"])
            .Concat(entity.GetNavigations().Where(n => n.IsCollection && n.PropertyInfo?.PropertyType is { } type && !type.Name.StartsWith("IReadOnly", StringComparison.Ordinal)).Select(n => $"{entity.ClrType.Name}.{n.Name} can be changed from outside"))
        select broken;

    /// <summary>A use case's handler is sealed, has one way in with who asks and a token, answers with a result, and asks the rules of access.</summary>
    public static IEnumerable<string> UnguardedHandlers(IEnumerable<Type> handlers)
    {
        foreach (var handler in handlers)
        {
            var ways = handler.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly);
            var request = handler.DeclaringType?.GetNestedType("Request");
            if (!handler.IsSealed)
            {
                yield return $"{handler.FullName} is not sealed";
            }

            if (request is null || ways is not [{ Name: "HandleAsync" } way] || !way.GetParameters().Select(p => p.ParameterType).SequenceEqual([request, typeof(Actor), typeof(CancellationToken)])
                || !way.ReturnType.IsGenericType || way.ReturnType.GetGenericArguments()[0] is not { IsGenericType: true } answer || answer.GetGenericTypeDefinition() != typeof(Result<>))
            {
                yield return $"{handler.FullName} has another way in than Task<Result<T>> HandleAsync(Request, Actor, CancellationToken)";
            }

            if (handler.GetConstructors() is not [var made] || made.GetParameters().All(p => p.ParameterType != typeof(AccessRules)))
            {
                yield return $"{handler.FullName} does not take AccessRules";
            }
        }
    }

    /// <summary>What is async is awaited by someone, and what waits can be told to stop: the token is last and not optional.</summary>
    public static IEnumerable<string> LooseTasks(IEnumerable<Type> types, bool tokens) =>
        from type in types
        from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where !method.Name.Contains('<', StringComparison.Ordinal) && !type.IsSubclassOf(typeof(Delegate))
        let isAsync = method.GetCustomAttribute<AsyncStateMachineAttribute>() is not null
        let problem = isAsync && method.ReturnType == typeof(void) ? "is async void"
            : tokens && type.IsVisible && method.IsPublic && IsTask(method.ReturnType) && method.Name != "DisposeAsync" && method.GetBaseDefinition() == method && !TakesToken(method) ? "takes no CancellationToken as its last, without a default" : null
        where problem is not null
        select $"{type.FullName}.{method.Name} {problem}";

    /// <summary>An event's number means one thing.</summary>
    public static IEnumerable<string> SharedEventIds(IEnumerable<Type> types) =>
        from type in types
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        let message = method.GetCustomAttribute<LoggerMessageAttribute>()
        where message is not null
        group $"{type.Name}.{method.Name}" by message.EventId into same
        where same.Count() > 1 || same.Key <= 0
        select $"event {same.Key}: {string.Join(", ", same)}";

    /// <summary>Every public type says in a sentence what it is.</summary>
    public static IEnumerable<string> Silent(Assembly assembly)
    {
        var file = Path.ChangeExtension(assembly.Location, ".xml");
        var documented = XDocument.Load(file).Descendants("member")
            .Where(m => m.Element("summary")?.Value.Trim() is { Length: > 0 } words && words.EndsWith('.')).Select(m => m.Attribute("name")!.Value).ToHashSet(StringComparer.Ordinal);
        return from type in House.Reflected(assembly)
               where type.IsPublic && !documented.Contains("T:" + type.FullName)
               select $"{type.FullName} has no summary that ends in a full stop";
    }

    private static bool IsTask(Type type) =>
        type == typeof(Task) || type == typeof(ValueTask)
        || (type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>) || type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)));

    private static bool TakesToken(MethodInfo method) => method.GetParameters() is [.., { HasDefaultValue: false } last] && last.ParameterType == typeof(CancellationToken);
}
