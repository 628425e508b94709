// Lines of fstab(5): fields, escapes, comments.
#include <gtest/gtest.h>

#include "conf/fstab.h"

namespace jail {
namespace {

TEST(Fstab, FieldsAreSplitAtWhiteSpaceAndDecoded) {
  auto line = parse_fstab_line(" /usr/src\t/srv/my\\040jail  nullfs ro,late 0 0 more");
  ASSERT_TRUE(line && *line);
  EXPECT_EQ(**line, (FstabLine{"/usr/src", "/srv/my jail", "nullfs", "ro,late"}));
}

TEST(Fstab, OptionsMayBeMissing) {
  EXPECT_EQ((*parse_fstab_line("a b c"))->options, "");
}

TEST(Fstab, OnlyTheFirstTwoFieldsAreDecoded) {
  EXPECT_EQ((*parse_fstab_line("a b c\\040 d\\040"))->options, "d\\040");
}

TEST(Fstab, FewerThanThreeFieldsAreAnError) {
  EXPECT_EQ(parse_fstab_line("tmpfs /tmp").error().text, "tmpfs /tmp: missing information");
  EXPECT_EQ(*parse_fstab_line(" \t"), std::nullopt);
}

TEST(Fstab, FilesLoseCommentsAndKeepBlankLines) {
  EXPECT_EQ(fstab_file_lines("# c\na b c # d\n\n e"), (Words{"", "a b c ", "", " e"}));
  EXPECT_EQ(fstab_file_lines(""), Words{});
  EXPECT_EQ(fstab_file_lines("a\n"), Words{"a"});
}

TEST(Fstab, EscapesAreThoseOfVis) {
  EXPECT_EQ(unvis("\\\\ \\040 \\134 \\t \\s \\^A \\M-a \\M^A"), "\\   \\ \t   \x01 \xe1 \x81");
  EXPECT_EQ(unvis("\\ \\q \\"), "\\ \\q \\");
  EXPECT_EQ(unvis("a\\0b"), "a\\0b");
}

}  // namespace
}  // namespace jail
