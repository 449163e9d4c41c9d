using Portal.Engine.Lvm;
using Portal.Engine.Shell;
using Portal.Kernel;

namespace Portal.Engine.Tests.Lvm;

/// <summary>As LVM 2.03.16 says it.</summary>
public sealed class LvmAnswersTests
{
    [Fact]
    public void Volumes_are_read_with_their_pool_origin_tags_and_what_they_take()
    {
        var volumes = LvmAnswers.Volumes("""
              {
                  "report": [
                      {
                          "lv": [
                              {"vg_name":"vgdisk", "lv_name":"thin", "lv_size":"8589934592", "lv_attr":"twi-aotz--", "lv_tags":"", "pool_lv":"", "origin":"", "data_percent":"12.50", "metadata_percent":"10.79", "lv_metadata_size":"8388608"},
                              {"vg_name":"vgdisk", "lv_name":"p1ab1ab1a-01a20e0b9d1577479efb9ab056a0914a-g1", "lv_size":"1073741824", "lv_attr":"Vwi-a-tz--", "lv_tags":"portal,portal.whole", "pool_lv":"thin", "origin":"t1ab1ab1a-tiny-linux-2", "data_percent":"1.00", "metadata_percent":"", "lv_metadata_size":""},
                              {"vg_name":"vgdisk", "lv_name":"swap", "lv_size":"1073741824", "lv_attr":"-wi-a-----", "lv_tags":"", "pool_lv":"", "origin":"", "data_percent":"", "metadata_percent":"", "lv_metadata_size":""},
                              {"vg_name":"vgswap", "lv_name":"p1ab1ab1a-01a20e0b9d1577479efb9ab056a0914a-g2", "lv_size":"71303168", "lv_attr":"swi-a-s---", "lv_tags":"portal", "pool_lv":"", "origin":"t1ab1ab1a-tiny-linux-2", "data_percent":"50.00", "metadata_percent":"", "lv_metadata_size":""}
                          ]
                      }
                  ]
              }
            """);

        Assert.Equal((true, 12.5m, 10.79m), (volumes[0].IsThinPool, volumes[0].DataPercent, volumes[0].MetadataPercent));
        Assert.Equal((new ByteSize(1L << 30), ByteSize.FromMiB(8)), (volumes[0].Taken, volumes[0].MetadataSize));
        Assert.Equal(("thin", "t1ab1ab1a-tiny-linux-2"), (volumes[1].Pool, volumes[1].Origin));
        Assert.Equal(["portal", "portal.whole"], volumes[1].Tags);
        Assert.Equal(new ByteSize((1L << 30) / 100), volumes[1].Taken);
        Assert.Equal((null, null, new ByteSize(1L << 30)), (volumes[2].Pool, volumes[2].Origin, volumes[2].Taken));
        // A classic snapshot says how full it is, and has all its blocks all the same.
        Assert.Equal(("vgswap", "t1ab1ab1a-tiny-linux-2", new ByteSize(71303168)), (volumes[3].Group, volumes[3].Origin, volumes[3].Taken));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"report\":[{\"lv\":[{\"vg_name\":\"v\",\"lv_name\":\"x\"}]}]}")]
    [InlineData("{\"report\":[{\"lv\":[{\"vg_name\":\"v\",\"lv_name\":\"x\",\"lv_size\":\"big\",\"lv_attr\":\"\",\"lv_tags\":\"\",\"pool_lv\":\"\",\"origin\":\"\"}]}]}")]
    public void What_is_no_report_is_a_fault(string report) => Assert.Throws<HostFaultException>(() => LvmAnswers.Volumes(report));

    [Fact]
    public void Five_is_every_failure_and_the_words_tell_which()
    {
        Assert.True(LvmAnswers.IsAbsent(Said("  Failed to find logical volume \"vgdisk/x\"\n")));
        Assert.True(LvmAnswers.IsFull(Said("  Volume group \"vgdisk\" has insufficient free space (3071 extents): 4096 required.\n")));
        Assert.True(LvmAnswers.IsFull(Said("  Cannot create new thin volume, free space in thin pool vgdisk/thin reached threshold.\n")));
        Assert.False(LvmAnswers.IsFull(Said("  Volume group \"other\" not found\n")));

        static HostAnswer Said(string error) => new(5, "", error);
    }
}
