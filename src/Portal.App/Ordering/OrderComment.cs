using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.App.Access;
using Portal.App.Tenants;
using Portal.Kernel;

namespace Portal.App.Ordering;

/// <summary>What a word on an order is for.</summary>
public enum CommentKind
{
    Comment,

    /// <summary>Somebody who decides wants to know something first: until it is answered the order's clock stands still.</summary>
    Question,
    Answer,
}

/// <summary>Something that was written on an order, beside votes and their reasons. Names are frozen.</summary>
public sealed class OrderComment
{
    private OrderComment()
    {
    }

    public const int MaxText = 1000;

    public OrderComment(Order order, CommentKind kind, Actor by, string text, DateTimeOffset at)
    {
        Id = Guid.CreateVersion7();
        OrderId = order.Id;
        TenantId = order.TenantId;
        Kind = kind;
        ById = by.User ?? throw new InvalidOperationException("The portal does not talk.");
        ByName = by.Name;
        Text = text;
        At = at;
    }

    public Guid Id { get; private set; }

    public OrderId OrderId { get; private set; }

    public TenantId TenantId { get; private set; }

    public CommentKind Kind { get; private set; }

    public UserId ById { get; private set; }

    public string ByName { get; private set; } = "";

    public string Text { get; private set; } = "";

    public DateTimeOffset At { get; private set; }
}

internal sealed class OrderCommentConfiguration : IEntityTypeConfiguration<OrderComment>
{
    public void Configure(EntityTypeBuilder<OrderComment> builder)
    {
        builder.ToTable("order_comments");
        builder.Property(c => c.ByName).HasMaxLength(PortalUser.MaxDisplayName);
        builder.Property(c => c.Text).HasMaxLength(OrderComment.MaxText);
        builder.HasIndex(c => new { c.OrderId, c.At });
        builder.HasOne<Order>().WithMany().HasForeignKey(c => c.OrderId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Tenant>().WithMany().HasForeignKey(c => c.TenantId).OnDelete(DeleteBehavior.Restrict);
    }
}
