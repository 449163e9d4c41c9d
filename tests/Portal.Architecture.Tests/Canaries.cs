using System.Diagnostics;
using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

// Bad examples, one for each rule: the rule's own function must find them.
namespace Portal.Architecture.Tests.Bad
{
    public sealed class Undocumented;

    /// <summary>Uses the database where it may not.</summary>
    public sealed class Page(DbContext db)
    {
        public override string ToString() => db.ToString()!;
    }

    /// <summary>Rings by itself.</summary>
    public sealed class Ringer(IBackgroundJobClient jobs)
    {
        public override string ToString() => jobs.ToString()!;
    }

    /// <summary>Runs a program past the shell.</summary>
    public sealed class Runner
    {
        public string Name { get; } = Process.GetCurrentProcess().ProcessName;
    }

    /// <summary>Can be made of nothing and set by anyone.</summary>
    public sealed class OpenEntity
    {
        public Guid Id { get; set; }

        public ICollection<OpenEntity> Others { get; } = [];
    }

    /// <summary>A use case that asks nobody.</summary>
    public static class Unguarded
    {
        public sealed record Request;

        public class Handler
        {
            public Task HandleAsync(Request request) => Task.FromResult(request);
        }
    }

    /// <summary>Tasks that nobody can stop or await.</summary>
    public sealed class Loose
    {
        public async void Forget() => await Task.Yield();

        public Task WaitAsync(CancellationToken ct = default) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
    }

    internal static partial class BadLog
    {
        [LoggerMessage(EventId = 7, Level = LogLevel.Debug, Message = "one")]
        public static partial void One(ILogger logger);

        [LoggerMessage(EventId = 7, Level = LogLevel.Debug, Message = "two")]
        public static partial void Two(ILogger logger);
    }
}

namespace Portal.Architecture.Tests.Bad.Left
{
    /// <summary>Half of a circle.</summary>
    public sealed class Half
    {
        public Right.Half? Other { get; init; }
    }
}

namespace Portal.Architecture.Tests.Bad.Right
{
    /// <summary>The other half.</summary>
    public sealed class Half
    {
        public Left.Half? Other { get; init; }
    }
}
