using System.Text;
using CsCheck;

namespace Portal.Kernel.Tests;

public sealed class UserDataTests
{
    [Fact]
    public void Text_is_kept_to_the_byte() => Gen.String.Sample(text =>
    {
        if (UserData.TryParse(text, out var data))
        {
            Assert.Equal(text, data.Text);
            Assert.Equal(text, Encoding.UTF8.GetString(data.Bytes));
        }
        else
        {
            Assert.True(text.Length == 0 || text.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) != text);
        }
    });

    [Fact]
    public void Its_limit_is_in_bytes()
    {
        Assert.True(UserData.TryParse(new string('x', 16_384), out _));
        Assert.False(UserData.TryParse(new string('x', 16_385), out _));
        Assert.True(UserData.TryParse(new string('é', 8_192), out _));
        Assert.False(UserData.TryParse(new string('é', 8_193), out _));
    }

    // No attributes: a half has no place in their metadata either.
    [Fact]
    public void Nothing_a_NUL_and_half_a_character_are_refused() =>
        Assert.All((string?[])[null, "", "#!/bin/sh\0", "half \ud83d of one"], text => Assert.False(UserData.TryParse(text, out _)));

    [Fact]
    public void Printed_it_says_nothing_of_itself()
    {
        Assert.True(UserData.TryParse("password: é", out var data));

        Assert.Equal("user data of 12 bytes", data.ToString());
        Assert.Equal(64, data.Sha256.Length);
    }
}
