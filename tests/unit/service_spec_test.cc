// jinit.conf and service directories: text to ServiceSpec, and what is said about mistakes.
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sys/resource.h>

#include "conf/service_conf.h"
#include "conf/service_dir.h"
#include "conf/service_params.h"
#include "conf/service_spec.h"

namespace jail {
namespace {

// The services of a text without a mistake.
std::vector<ServiceSpec> good(const std::string& text) {
  ServiceConf conf = read_services("jinit.conf", text);
  for (const Message& message : conf.messages) ADD_FAILURE() << placed_text(message);
  return std::move(conf.services);
}

// The only service, with these parameters.
ServiceSpec one(const std::string& parameters) {
  std::vector<ServiceSpec> specs = good("a { command = x; " + parameters + " }");
  return specs.size() == 1 ? specs[0] : ServiceSpec{};
}

// What is said about a text, a line each.
std::string said(const std::string& text, const Words& others = {}) {
  std::string lines;
  for (const Message& message : read_services("jinit.conf", text, others).messages)
    lines += placed_text(message) + "\n";
  return lines;
}

// What is said about one parameter.
std::string wrong(const std::string& parameter) {
  const std::string text = said("a { command = x;\n" + parameter + " }");
  constexpr std::string_view place = "jinit.conf:2:1: a: ";
  EXPECT_TRUE(text.starts_with(place)) << text;
  return text.substr(std::min(text.size(), place.size()));
}

TEST(ServiceConf, AServiceIsABlock) {
  const std::vector<ServiceSpec> specs = good(
      "nginx { command = /usr/sbin/nginx, -g, \"daemon off;\"; depend = net; restart = "
      "on-failure;\n"
      "        ready = 3; user = www; }\n"
      "net { command = \"ifup -a\"; ready = exit; }");
  ASSERT_EQ(specs.size(), 2U);
  const ServiceSpec nginx{.name = "nginx",
                          .where = "jinit.conf:1:1",
                          .command = {"/usr/sbin/nginx", "-g", "daemon off;"},
                          .depend = {"net"},
                          .user = "www",
                          .ready = 3,
                          .restart = Restart::on_failure};
  EXPECT_EQ(specs[0], nginx);
  const ServiceSpec net{
      .name = "net", .where = "jinit.conf:3:1", .command = {"ifup", "-a"}, .ready = ready_at_exit};
  EXPECT_EQ(specs[1], net);
}

TEST(ServiceConf, WildcardsVariablesAndLooseParametersWorkAsInJailConf) {
  const std::vector<ServiceSpec> specs = good(
      "user = www; $dir = /srv;\n"
      "* { log = \"/var/log/$name.log\"; restart = always; }\n"
      "a { command = \"$dir/$name\"; } b { command = x; user = root; depend += a; }\n"
      "80 { command = y; }");
  ASSERT_EQ(specs.size(), 3U);
  EXPECT_EQ(specs[0].command, Words{"/srv/a"});
  EXPECT_EQ(specs[0].log, "/var/log/a.log");
  EXPECT_EQ(specs[0].user, "www");
  EXPECT_EQ(specs[1].user, "root");
  EXPECT_EQ(specs[1].restart, Restart::always);
  EXPECT_EQ(specs[2].name, "80");
  EXPECT_EQ(specs[2].log, "/var/log/80.log");
}

TEST(ServiceConf, JailsParametersAreNothingSpecial) {
  EXPECT_EQ(good("$path = x; a { command = $path; }").size(), 1U);
  EXPECT_EQ(said("a { command = x; path = /; }"), "jinit.conf:1:18: a: unknown parameter: path\n");
}

TEST(ServiceConf, CommandsWithAShellsCharactersAreAShells) {
  EXPECT_EQ(one("command = \" cron -f  -L 15 \";").command, (Words{"cron", "-f", "-L", "15"}));
  EXPECT_EQ(one("command = \"a | b\";").command, (Words{"/bin/sh", "-c", "a | b"}));
  EXPECT_EQ(one("command = \"a | b\", c;").command, (Words{"a | b", "c"}));
  EXPECT_EQ(one("finish = \"rm -f /run/a.pid\"; finish;").finish, Words{});
  EXPECT_EQ(wrong("finish = \"\", a;"), "finish: its first word is empty\n");
}

TEST(ServiceConf, TimesAreSeconds) {
  const ServiceSpec spec =
      one("restart.delay = 0.25; restart.max_delay = 1.5; restart.steady = 3; ready.timeout = 10;"
          "stop.timeout = 0; finish.timeout = 0.001; restart.period = 0.1; restart.limit = 5;");
  EXPECT_EQ(spec.restart_delay, 250);
  EXPECT_EQ(spec.restart_max_delay, 1500);
  EXPECT_EQ(spec.restart_steady, 3000);
  EXPECT_EQ(spec.ready_timeout, 10'000);
  EXPECT_EQ(spec.stop_timeout, 0);
  EXPECT_EQ(spec.finish_timeout, 1);
  EXPECT_EQ(spec.restart_period, 100);
  EXPECT_EQ(spec.restart_limit, 5);
  for (const char* text : {"1.", ".5", "1.2345", "-1", "+1", "1s", "", "1e3", "1..2"})
    EXPECT_EQ(parse_seconds(text), std::nullopt) << text;
  EXPECT_EQ(wrong("stop.timeout = -1;"), "stop.timeout: not a number: \"-1\"\n");
  EXPECT_EQ(wrong("stop.timeout = 86401;"), "stop.timeout: out of range: \"86401\"\n");
  EXPECT_EQ(wrong("restart.period = 0;"), "restart.period: out of range: \"0\"\n");
  EXPECT_EQ(wrong("stop.timeout;"), "stop.timeout: not a number: \"\"\n");
}

TEST(ServiceConf, SizesHaveUnits) {
  EXPECT_EQ(one("log.max_size = 64k; log.max_files = 0;").log_max_size, 65'536);
  EXPECT_EQ(parse_size("2G"), int64_t{2} << 30);
  EXPECT_EQ(parse_size("8388607T"), (int64_t{8388607} << 40));
  for (const char* text : {"8388608T", "k", "", "-1", "1kk", "1 k", "0x1", "99999999999999999999"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(ServiceConf, SignalsHaveNamesAndNumbers) {
  EXPECT_EQ(one("stop.signal = QUIT;").stop_signal, SIGQUIT);
  EXPECT_EQ(parse_signal("SIGHUP"), SIGHUP);
  EXPECT_EQ(parse_signal("15"), SIGTERM);
  EXPECT_EQ(parse_signal("RTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(parse_signal("SIGRTMAX-1"), SIGRTMAX - 1);
  EXPECT_EQ(parse_signal("RTMIN"), SIGRTMIN);
  for (const char* text : {"", "0", "-1", "65", "term", "SIG", "RTMIN+99", "RTMIN-1", "RTMAX+1",
                           "RTMIN3", "RTMIN+", "+9"})
    EXPECT_EQ(parse_signal(text), std::nullopt) << text;
  EXPECT_EQ(wrong("stop.signal = FOO;"), "stop.signal: unknown signal \"FOO\"\n");
}

TEST(ServiceConf, LimitsAreNamedByTheirResource) {
  const ServiceSpec spec =
      one("limit.nofile = 1024; limit.core = 0, unlimited; limit.nofile = 64k;");
  ASSERT_EQ(spec.limits.size(), 2U);
  EXPECT_EQ(spec.limits[0], (ResourceLimit{RLIMIT_NOFILE, 65'536, 65'536}));
  EXPECT_EQ(spec.limits[1], (ResourceLimit{RLIMIT_CORE, 0, ResourceLimit::no_limit}));
  EXPECT_EQ(wrong("limit.x = 1;"), "limit.x: no such resource\n");
  EXPECT_EQ(wrong("limit.cpu = 2, 1;"), "limit.cpu: the soft one is above the hard one\n");
  EXPECT_EQ(wrong("limit.cpu = many;"), "limit.cpu: not a number: \"many\"\n");
  EXPECT_EQ(wrong("limit = 1;"), "unknown parameter: limit\n");
  EXPECT_EQ(wrong("limit. = 1;"), "unknown parameter: limit.\n");
}

TEST(ServiceConf, TheEnvironmentIsAListOrSingleNames) {
  EXPECT_EQ(one("environment = \"A=1\", \"B=2\", \"A=3\";").environment, (Words{"B=2", "A=3"}));
  EXPECT_EQ(one("environment = \"A=1\"; environment.B = 2; environment.A;").environment,
            (Words{"B=2", "A="}));
  EXPECT_EQ(wrong("environment = A;"), "environment: not NAME=VALUE: \"A\"\n");
  EXPECT_EQ(wrong("environment = \"=A\";"), "environment: not NAME=VALUE: \"=A\"\n");
}

TEST(ServiceConf, WordsOfAListAreChecked) {
  EXPECT_EQ(one("restart = no;").restart, Restart::no);
  EXPECT_EQ(one("on_exit = fail;").on_exit, OnExit::fail);
  EXPECT_EQ(one("umask = 027;").umask, 027);
  EXPECT_TRUE(one("down;").down);
  EXPECT_FALSE(one("down; nodown;").down);
  EXPECT_EQ(one("ready = exit; ready = start;").ready, ready_at_start);
  EXPECT_EQ(wrong("restart = maybe;"), "restart: is no, on-failure or always, not \"maybe\"\n");
  EXPECT_EQ(wrong("on_exit = x;"), "on_exit: is ignore, restart, halt or fail, not \"x\"\n");
  EXPECT_EQ(wrong("umask = 8;"), "umask: not a number: \"8\"\n");
  EXPECT_EQ(wrong("umask = 1000;"), "umask: out of range: \"1000\"\n");
  EXPECT_EQ(wrong("down = maybe;"), "down: unknown boolean value \"maybe\"\n");
  EXPECT_EQ(wrong("ready = -1;"), "ready: out of range: \"-1\"\n");
  EXPECT_EQ(wrong("log = a;"), "log: no absolute path: \"a\"\n");
  EXPECT_EQ(wrong("nouser;"), "unknown parameter: nouser\n");
}

TEST(ServiceConf, AServiceWithAMistakeIsLeftOutAndTheOthersAreNot) {
  ServiceConf conf = read_services("f", "a { command = x; ready = y; } b { command = x; } c { }");
  ASSERT_EQ(conf.services.size(), 1U);
  EXPECT_EQ(conf.services[0].name, "b");
  ASSERT_EQ(conf.messages.size(), 2U);
  EXPECT_EQ(placed_text(conf.messages[0]), "f:1:18: a: ready: not a number: \"y\"");
  EXPECT_EQ(placed_text(conf.messages[1]), "f:1:50: c: has no command");
}

TEST(ServiceConf, ASyntaxErrorLeavesNoService) {
  ServiceConf conf = read_services("f", "a { command = x; }\nb { command = ; }");
  EXPECT_TRUE(conf.services.empty());
  ASSERT_EQ(conf.messages.size(), 1U);
  EXPECT_EQ(placed_text(conf.messages[0]), "f:2:15: ;: syntax error");
}

TEST(ServiceConf, MistakesOfVariablesAreSaidWithTheirPlace) {
  EXPECT_EQ(said("a { command = x; user = $who; }"),
            "jinit.conf:1:25: a: user: variable \"who\" not found\n");
  EXPECT_EQ(said(".include \"/etc/passwd\";"), "jinit.conf:1:10: .include: not permitted here\n");
}

TEST(ServiceConf, ANameThatNobodyHasIsSaidAndTheServiceIsKept) {
  EXPECT_EQ(said("a { command = x;\n depend = b; }"),
            "jinit.conf:2:2: a: depends on b, which is no service\n");
  EXPECT_EQ(read_services("f", "a { command = x; depend = b; }").services.size(), 1U);
  EXPECT_EQ(said("a { command = x; depend = b; }", {"b"}), "");
}

TEST(ServiceConf, AMistakeOfAWildcardIsSaidOnce) {
  EXPECT_EQ(said("* { ready = x; } a { command = x; } b { command = x; }"),
            "jinit.conf:1:5: a: ready: not a number: \"x\"\n");
}

TEST(ServiceConf, NamesAreForPeopleAndFiles) {
  for (const char* name : {"\"a/b\"", "\"\"", "\".a\"", "\"a b\"", "\"a\\nb\""})
    EXPECT_EQ(said(std::string(name) + " { command = x; }"),
              "jinit.conf:1:1: not a name for a service\n");
  EXPECT_EQ(said("a { command = x; } a { command = y; }"),
            "jinit.conf:1:20: a: there is another service of this name\n");
  EXPECT_EQ(good("a { command = x; b { command = y; } }").size(), 2U);
}

TEST(ServiceConf, ThereAreLimits) {
  std::string text = "* { command = x; }";
  for (size_t i = 0; i <= most_services; ++i) text += "s" + std::to_string(i) + "{}";
  const ServiceConf many = read_services("f", text);
  EXPECT_EQ(many.services.size(), most_services);
  ASSERT_EQ(many.messages.size(), 1U);
  EXPECT_EQ(many.messages[0].text, "too many services");

  text.clear();
  for (int i = 0; i < 200; ++i) text += "s" + std::to_string(i) + " { x = y; }\n";
  const ServiceConf wrong_all = read_services("f", text);
  EXPECT_EQ(wrong_all.messages.size(), 101U);
  EXPECT_EQ(wrong_all.messages.back().text, "there are more errors");

  EXPECT_EQ(said(std::string(longest_service_conf + 1, ' ')), "jinit.conf: File too large\n");
  EXPECT_EQ(said(std::string("a { command = x;\0 }", 19)), "jinit.conf: not a text\n");
  EXPECT_EQ(said("a { \x1b[2J = x; command = y; }").find('\x1b'), std::string::npos);

  text = "a { command = x; depend = y";
  for (size_t i = 0; i < most_service_words; ++i) text += ",y";
  EXPECT_EQ(said(text + "; }"), "jinit.conf:1:18: a: depend: too many values\n");
}

// What a short text could make of 1000 services.
TEST(ServiceConf, AShortTextDoesNotGrowWithoutEnd) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "p" + std::to_string(i) + " = x;";
  for (int i = 0; i < 1000; ++i) text += "s" + std::to_string(i) + "{ command = x; }";
  const std::string messages = said(text);
  EXPECT_NE(messages.find("too many parameters"), std::string::npos) << messages;
  text = "$a = 0123456789;";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    text += std::string("$") + c + " = \"$" + before + "$" + before + "\";";
  }
  EXPECT_NE(said(text + " s { command = $z; }").find("value too long"), std::string::npos);
}

// A text of the manual with mdoc's escapes undone.
std::string plain(std::string text) {
  for (const auto& [escape, character] : {std::pair{"\\&", ""}, {"\\e", "\\"}, {"\\-", "-"}}) {
    for (size_t at; (at = text.find(escape)) != std::string::npos;)
      text.replace(at, strlen(escape), character);
  }
  return text;
}

TEST(ServiceConf, TheExamplesOfTheManualAreServices) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../man/jinit.conf.5");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  size_t examples = 0;
  for (size_t at = 0; (at = page.find(".\\\" services: ", at)) != std::string::npos; ++examples) {
    const size_t begin = page.find('\n', page.find("\n.Bd", at) + 1),
                 end = page.find("\n.Ed", begin);
    ASSERT_NE(end, std::string::npos);
    EXPECT_FALSE(good(plain(page.substr(begin, end - begin + 1))).empty());
    at = end;
  }
  EXPECT_EQ(examples, 4U);
}

TEST(ServiceParams, NamesAndFieldsAreDistinctAndDescribed) {
  std::set<std::string_view> names;
  for (const ServiceParam& row : service_params()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(std::string_view(row.summary).ends_with(".")) << row.name;
    for (const ServiceParam& other : service_params())
      EXPECT_TRUE(&row == &other || row.field != other.field) << row.name << " " << other.name;
  }
}

// Directories.

ServiceDirectory directory(const ServiceFiles& files) {
  return read_service_directory("ssh", "/etc/sv/ssh", files).value();
}

TEST(ServiceDirectory, ARunFileIsAService) {
  const ServiceSpec expected{.name = "ssh",
                             .where = "/etc/sv/ssh",
                             .command = {"./run", "ssh"},
                             .directory = "/etc/sv/ssh",
                             .restart = Restart::always,
                             .restart_delay = 1000,
                             .restart_max_delay = 0,
                             .stop_timeout = 0,
                             .tools = Tools::s6};
  EXPECT_EQ(directory({.run = true}).spec, expected);
  EXPECT_EQ(read_service_directory("a", "/a", {.finish = true}).error().code, ENOENT);
}

TEST(ServiceDirectory, SmallFilesSayMore) {
  const ServiceDirectory found = directory({.run = true,
                                            .finish = true,
                                            .down = true,
                                            .log = true,
                                            .type = "longrun\n",
                                            .notification_fd = "3\n",
                                            .timeout_finish = "0",
                                            .timeout_kill = " 700 \nmore",
                                            .down_signal = "SIGQUIT\n",
                                            .max_death_tally = "5"});
  EXPECT_TRUE(found.remarks.empty());
  EXPECT_EQ(found.spec.finish, Words{"./finish"});
  EXPECT_TRUE(found.spec.down);
  EXPECT_EQ(found.spec.logger, "ssh/log");
  EXPECT_EQ(found.spec.after, Words{"ssh/log"});
  EXPECT_EQ(found.spec.ready, 3);
  EXPECT_EQ(found.spec.finish_timeout, 0);
  EXPECT_EQ(found.spec.stop_timeout, 700);
  EXPECT_EQ(found.spec.stop_signal, SIGQUIT);
  EXPECT_EQ(found.spec.death_tally, 5);
}

TEST(ServiceDirectory, WhatMakesNoSenseIsRemarkedAndIgnored) {
  const ServiceDirectory found = directory({.run = true,
                                            .notification_fd = "-1",
                                            .timeout_finish = "99999999999999999999",
                                            .timeout_kill = "",
                                            .down_signal = "FOO",
                                            .max_death_tally = "5000"});
  EXPECT_EQ(found.remarks,
            (Words{"notification-fd: not a number that makes sense",
                   "timeout-finish: not a number that makes sense",
                   "timeout-kill: not a number that makes sense",
                   "max-death-tally: not a number that makes sense", "down-signal: not a signal"}));
  EXPECT_EQ(found.spec, directory({.run = true}).spec);
}

TEST(ServiceDirectory, ItIsWhoseFilesItHasOrWhoseToolsAreThere) {
  const auto tools = [](ServiceFiles files) {
    files.run = true;
    return directory(files).spec.tools;
  };
  EXPECT_EQ(tools({}), Tools::s6);
  EXPECT_EQ(tools({.sv = true}), Tools::runit);
  EXPECT_EQ(tools({.sv = true, .s6_svc = true}), Tools::both);
  EXPECT_EQ(tools({.runit = true, .s6_svc = true}), Tools::runit);
  EXPECT_EQ(tools({.sv = true, .timeout_kill = "1"}), Tools::s6);
  EXPECT_EQ(directory({.run = true, .sv = true}).spec.command, Words{"./run"});
}

TEST(ServiceDirectory, OtherTypesOfS6RcAreNoServices) {
  for (const char* type : {"oneshot", "bundle\n", ""})
    EXPECT_EQ(read_service_directory("a", "/a", {.run = true, .type = type}).error().code, ENOTSUP);
}

TEST(ServiceDirectory, EveryTextHasItsFile) {
  ServiceFiles files;
  for (const ServiceFile& file : service_files()) files.*file.text = file.name;
  EXPECT_EQ(files.type, "type");
  EXPECT_EQ(files.max_death_tally, "max-death-tally");
  EXPECT_EQ(service_files().size(), 6U);
}

}  // namespace
}  // namespace jail
