// What tests of the language share: a directory of their own as the working directory.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>

namespace jail {

class InConfDirectory : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    std::filesystem::current_path(path_);
  }
  void TearDown() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(path_);
  }
  static void write(const std::string& name, std::string_view text) {
    if (auto directory = std::filesystem::path(name).parent_path(); !directory.empty()) {
      std::filesystem::create_directories(directory);
    }
    std::ofstream(name) << text;
  }

  std::filesystem::path before_ = std::filesystem::current_path();
  std::string path_ = "/tmp/conf_test.XXXXXX";
};

}  // namespace jail
