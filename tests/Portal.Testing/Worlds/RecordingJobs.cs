using System.Collections.Concurrent;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Portal.Kernel;

namespace Portal.Testing.Worlds;

/// <summary>Hangfire's client that only writes down for which operations the bell was rung.</summary>
public sealed class RecordingJobs : IBackgroundJobClient
{
    private readonly ConcurrentQueue<OperationId> _rung = [];

    /// <summary>What was rung for and not answered yet, in order.</summary>
    public IReadOnlyCollection<OperationId> Rung => _rung;

    /// <summary>Whether the job server's store is out of reach.</summary>
    public bool Broken { get; set; }

    public string Create(Job job, IState state)
    {
        if (Broken)
        {
            throw new BackgroundJobClientException("Background job creation failed.", new TimeoutException("The store is out of reach."));
        }

        _rung.Enqueue(new OperationId((Guid)job.Args[0]));
        return Guid.CreateVersion7().ToString();
    }

    public bool ChangeState(string jobId, IState state, string expectedState) => true;

    /// <summary>Answers the bell once.</summary>
    public bool TryAnswer(out OperationId operation) => _rung.TryDequeue(out operation);
}
