// Process 1's states: the cases I1 to I50 of the specification that are a matter of the machine, by
// number, and what a jail has otherwise. What sessions do is in sessions_test.cc.
#include <cerrno>
#include <gtest/gtest.h>

#include "base/table.h"
#include "base/text.h"
#include "tests/unit/machine_life.h"

namespace jail {
namespace {

using enum InitEvent;

TEST(InitCases, I1_AfterRcTtysAreReadAndSessionsStarted) {
  Life life = life_with(RcFailure::single, true);
  EXPECT_EQ(life.on(boot), "run_rc(autoboot)");
  EXPECT_EQ(life.on(script_done), "answer_ok read_ttys start_services");
  EXPECT_EQ(life.state(), "read_ttys");
  EXPECT_EQ(life.on(ttys_read), "");
  EXPECT_EQ(life.state(), "multi_user");
}

TEST(InitCases, I2_AnRcThatExitsWith3LeadsToSingleUserWithoutAMessage) {
  Life life = booting();
  EXPECT_EQ(life.on(script_failed), "revoke_console term_all");
  EXPECT_EQ(life.said("/etc/rc", 3), "");
  EXPECT_EQ(life.on(all_gone), "answer_single start_shell");
  EXPECT_EQ(life.state(), "single_user");
}

TEST(InitCases, I3_AnRcThatIsTerminatedLeadsToSingleUserWithAWarning) {
  for (InitEvent end : {script_termed, script_killed}) {
    Life life = booting();
    life.on(end);
    EXPECT_EQ(life.said("/etc/rc"),
              "/bin/sh on /etc/rc terminated abnormally, going to single user mode");
    EXPECT_EQ(life.on(all_gone), "answer_single start_shell");
  }
}

TEST(InitCases, I4_AStoppedRcIsContinued) {
  Life life = booting();
  EXPECT_EQ(life.on(script_stopped), "continue_script");
  EXPECT_EQ(life.said("/etc/rc"), "/bin/sh on /etc/rc stopped, restarting");
  EXPECT_EQ(life.on(script_done), "answer_ok read_ttys start_services");
}

TEST(InitCases, I5_SingleWhileRcRunsEndsEverythingWithoutRcShutdown) {
  Life life = booting();
  EXPECT_EQ(life.on(single), "revoke_console term_all");
  EXPECT_EQ(life.on(script_termed), "");
  EXPECT_EQ(life.said("/etc/rc"), "");
  EXPECT_EQ(life.on(all_gone), "answer_single start_shell");
}

TEST(InitCases, I6_RebootWhileRcRunsEndsEverythingWithoutRcShutdown) {
  Life life = booting();
  EXPECT_EQ(life.on(reboot), "revoke_console term_all");
  EXPECT_EQ(life.on(all_gone), "run_final");
  // Nobody is answered: a reboot during a start is a part of it.
  EXPECT_EQ(life.on(script_none), "leave");
  EXPECT_EQ(way_out(life.machine), WayOut::restart);
}

TEST(InitCases, I7_AHangUpWhileRcRunsIsNothing) {
  Life life = booting();
  const Machine before = life.machine;
  EXPECT_EQ(life.on(reload), "");
  EXPECT_FALSE(life.step.taken);
  EXPECT_EQ(life.machine, before);
}

TEST(InitCases, I8_CatatoniaWhileRcRunsHasNoEffectAfterwards) {
  Life life = booting();
  life.on(catatonia);
  EXPECT_EQ(life.on(script_done), "answer_ok read_ttys start_services");
  life.on(ttys_read);
  EXPECT_EQ(life.state(), "multi_user");
}

TEST(InitCases, I9_I10_RcHasTheArgumentAutoboot) {
  EXPECT_STREQ(argument_of(booting().machine), "autoboot");
}

TEST(InitCases, I11_AfterSingleUserRcHasNoArgument) {
  Life life = in_single_user();
  EXPECT_EQ(life.on(shell_exited), "run_rc");
  EXPECT_EQ(life.on(script_done), "read_ttys start_services");
  // After success it is that of a start again.
  EXPECT_TRUE(life.machine.autoboot);
}

TEST(InitCases, I12_AnRcThatCannotBeExecutedLeadsToSingleUser) {
  Life life = booting();
  EXPECT_EQ(life.on(script_failed), "revoke_console term_all");
}

TEST(InitCases, I17_I22_I23_AHangUpReadsTtysAgain) {
  Life life = in_multi_user();
  EXPECT_EQ(life.on(reload), "reread");
  EXPECT_EQ(life.state(), "clean_ttys");
  EXPECT_EQ(life.on(ttys_read), "");
  EXPECT_EQ(life.state(), "multi_user");
}

TEST(InitCases, I24_I25_CatatoniaFreezesSessionsUntilAHangUp) {
  Life life = in_multi_user();
  EXPECT_EQ(life.on(catatonia), "freeze_sessions");
  EXPECT_EQ(life.state(), "catatonia");
  EXPECT_EQ(life.on(reload), "reread");
  life.on(ttys_read);
  EXPECT_EQ(life.state(), "multi_user");
}

TEST(InitCases, I26_CatatoniaThenRebootIsTheNormalPath) {
  Life life = in_multi_user();
  life.on(catatonia);
  EXPECT_EQ(life.on(reboot), "hang_up_sessions run_shutdown(reboot)");
}

// The whole way down from multi-user, with everything that behaves.
WayOut down(Life life, InitEvent request) {
  EXPECT_EQ(life.on(request), "hang_up_sessions run_shutdown(reboot)");
  EXPECT_EQ(life.on(script_done), "stop_services");
  EXPECT_EQ(life.on(services_down), "revoke_console term_all");
  EXPECT_EQ(life.on(all_gone), "run_final");
  EXPECT_EQ(life.on(script_done), "leave");
  EXPECT_EQ(life.state(), "leaving");
  return way_out(life.machine);
}

TEST(InitCases, I27_RebootInMultiUser) {
  EXPECT_EQ(down(in_multi_user(), reboot), WayOut::restart);
}

TEST(InitCases, I28_HaltPowerOffAndPowerCycle) {
  EXPECT_EQ(down(in_multi_user(), halt), WayOut::halt);
  EXPECT_EQ(down(in_multi_user(), poweroff), WayOut::poweroff);
  EXPECT_EQ(down(in_multi_user(), powercycle), WayOut::restart);
}

TEST(InitCases, I29_SingleInMultiUser) {
  Life life = in_multi_user();
  EXPECT_EQ(life.on(single), "hang_up_sessions run_shutdown(single)");
  EXPECT_EQ(life.on(script_done), "stop_services");
  EXPECT_EQ(life.on(services_down), "revoke_console term_all");
  EXPECT_EQ(life.on(all_gone), "start_shell");
  EXPECT_EQ(life.state(), "single_user");
}

TEST(InitCases, I30_AMissingRcShutdownIsSkipped) {
  Life life = in_multi_user();
  life.on(reboot);
  EXPECT_EQ(life.on(script_none), "stop_services");
  EXPECT_EQ(life.said("/etc/rc.shutdown"), "");
}

TEST(InitCases, I31_AFailingRcShutdownIsSaidAndChangesNothing) {
  Life life = in_multi_user();
  life.on(reboot);
  EXPECT_EQ(life.on(script_failed), "stop_services");
  EXPECT_EQ(life.said("/etc/rc.shutdown", 1), "/etc/rc.shutdown returned status 1");
  life.on(services_down);
  EXPECT_EQ(life.on(all_gone), "run_final");
}

TEST(InitCases, I32_AHangingRcShutdownIsGivenUp) {
  Life life = in_multi_user();
  life.machine.times = init_times(5, 10);
  life.on(reboot);
  EXPECT_EQ(life.after(4), "");
  EXPECT_EQ(life.after(1), "end_script stop_services revoke_console term_all");
  EXPECT_EQ(life.said("/etc/rc.shutdown"),
            "timeout expired for /etc/rc.shutdown: Interrupted system call; going to single user "
            "mode");
  EXPECT_EQ(life.on(script_termed), "");
  EXPECT_EQ(life.said("/etc/rc.shutdown"), "");
  EXPECT_EQ(life.on(all_gone), "run_final");
}

TEST(InitCases, I33_AShutdownTimeoutBelowTwoCountsAs120) {
  EXPECT_EQ(init_times(1, 10).shutdown, 120'000);
  EXPECT_EQ(init_times(-1, 10).shutdown, 120'000);
  EXPECT_EQ(init_times(2, 10).shutdown, 2'000);
}

TEST(InitCases, I34_WhatIgnoresSigtermIsKilledAfterStopTimeout) {
  Life life = in_multi_user();
  life.on(reboot), life.on(script_none), life.on(services_down);
  EXPECT_EQ(life.after(9), "");
  EXPECT_EQ(life.after(1), "kill_all");
  EXPECT_EQ(life.on(all_gone), "run_final");
}

TEST(InitCases, I35_WhatCannotBeKilledIsGivenUp) {
  Life life = in_multi_user();
  life.on(reboot), life.on(script_none), life.on(services_down);
  EXPECT_EQ(life.after(10), "kill_all");
  EXPECT_EQ(life.after(9), "");
  EXPECT_EQ(life.after(1), "run_final");
  EXPECT_EQ(life.said(""), "some processes would not die; ps axl advised");
}

TEST(InitCases, I36_WithoutProcessesNothingIsWaitedFor) {
  Life life = in_multi_user();
  const int64_t began = life.now;
  down(life, reboot);
  EXPECT_EQ(life.now, began);
}

TEST(InitCases, I37_RcFinalHasNoArgument) {
  Life life = in_single_user();
  life.on(reboot);
  EXPECT_EQ(life.on(all_gone), "run_final");
  EXPECT_STREQ(argument_of(life.machine), "");
}

TEST(InitCases, I38_WithoutRcFinalTheWayOutIsNext) {
  Life life = in_single_user();
  life.on(reboot), life.on(all_gone);
  EXPECT_EQ(life.on(script_none), "leave");
}

TEST(InitCases, I39_SingleThenRebootEndsInRebootAndRcShutdownHadSingle) {
  Life life = in_multi_user();
  EXPECT_EQ(life.on(single), "hang_up_sessions run_shutdown(single)");
  life.now += 1000;
  EXPECT_EQ(life.on(reboot), "");
  EXPECT_TRUE(life.step.taken);
  life.on(script_done), life.on(services_down);
  EXPECT_EQ(life.on(all_gone), "run_final");
}

TEST(InitCases, I42_I44_AnyEndOfTheSingleUserShellRunsRcAgain) {
  EXPECT_EQ(in_single_user().on(shell_exited), "run_rc");
}

TEST(InitCases, I43_AShellThatIsKilledIsReplaced) {
  Life life = in_single_user();
  EXPECT_EQ(life.on(shell_killed), "start_shell");
  EXPECT_EQ(life.said("/bin/sh"), "single user shell terminated, restarting");
  EXPECT_EQ(life.state(), "single_user");
}

TEST(InitCases, I45_MultiUserWaitsForNothing) {
  EXPECT_EQ(in_multi_user().machine.deadline, Machine::never);
}

TEST(InitCases, I48_I49_RunLevelsAreFreeBsds) {
  std::string text;
  for (const RequestWord& word : run_levels())
    text += concat({word.name, "=", name_of(word.event), " "});
  EXPECT_EQ(text, "0=poweroff 1=single 6=reboot c=catatonia q=reload ");
  EXPECT_EQ(find_row(run_levels(), "7"), nullptr);
  EXPECT_EQ(find_row(run_levels(), "r"), nullptr);
}

// --- What N3 to N7 say beside the cases ---

TEST(InitSignals, WhatIsAskedForAddsUp) {
  // N3.2: a reboot takes nothing back; poweroff alone forgets a power cycle.
  Life life = in_multi_user();
  life.on(halt), life.on(reboot);
  EXPECT_EQ(way_out(life.machine), WayOut::halt);
  life.on(powercycle);
  const uint8_t with = life.machine.howto;
  life.on(poweroff);
  EXPECT_EQ(way_out(life.machine), WayOut::poweroff);
  EXPECT_NE(life.machine.howto & with, with);
  life.on(reboot), life.on(halt), life.on(fail);
  EXPECT_EQ(way_out(life.machine), WayOut::poweroff);
  life.on(stop);
  EXPECT_EQ(way_out(life.machine), WayOut::leave);
}

TEST(InitSignals, RequestsDoNotShortenAShutdown) {
  Life life = in_multi_user();
  life.on(reboot);
  const int64_t deadline = life.machine.deadline;
  life.now += 5000;
  for (InitEvent event : {single, reboot, halt, poweroff, stop, reload, catatonia})
    EXPECT_EQ(life.on(event), "");
  EXPECT_EQ(life.machine.deadline, deadline);
  EXPECT_EQ(life.state(), "death");
}

TEST(InitSignals, SuspendedAndThenTerminatedRcMeansThatSomebodyReboots) {
  // N5.4; but process 1 does not wait for ever.
  Life life = booting();
  life.on(catatonia);
  EXPECT_EQ(life.on(script_termed), "");
  EXPECT_EQ(life.said("/etc/rc"), "");
  EXPECT_EQ(life.after(29), "");
  EXPECT_EQ(life.after(1), "revoke_console term_all");
}

TEST(InitSignals, AnRcThatCannotBeStartedIsSaidAndThenSingleUser) {
  Life life = booting();
  EXPECT_EQ(life.on(script_not_started), "");
  EXPECT_EQ(life.said("/etc/rc", EAGAIN),
            "can't fork for /bin/sh on /etc/rc: Resource temporarily unavailable");
  EXPECT_TRUE(is_emergency(life.step.say));
  EXPECT_EQ(life.after(30), "revoke_console term_all");
  EXPECT_EQ(life.on(all_gone), "answer_single start_shell");
}

TEST(InitSignals, WhileItStallsRequestsAreObeyed) {
  Life life = booting();
  life.on(script_not_started);
  EXPECT_EQ(life.on(reboot), "revoke_console term_all");
}

TEST(InitShell, AShellThatWasKilledForARebootIsReplacedAfterAWhile) {
  Life life = in_single_user();
  EXPECT_EQ(life.on(shell_sigkilled), "");
  EXPECT_EQ(life.said("/bin/sh"), "single user shell terminated.");
  EXPECT_EQ(life.after(30), "start_shell");
}

TEST(InitShell, ShellsThatLiveForAMomentAreSlowedDown) {
  Life life = in_single_user();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(life.on(shell_killed), "start_shell") << i;
  EXPECT_EQ(life.on(shell_killed), "");
  EXPECT_EQ(life.after(30), "start_shell");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(life.on(shell_killed), "start_shell") << i;
  EXPECT_EQ(life.on(shell_killed), "");
  EXPECT_EQ(life.after(30), "start_shell");
  life.now += 5000;
  EXPECT_EQ(life.on(shell_killed), "start_shell");
  EXPECT_EQ(life.machine.quick, 0);
}

TEST(InitShell, AFailingRcAndAShellThatEndsAtOnceAreSlowedDownToo) {
  Life life = in_single_user();
  int shells = 1;
  for (int i = 0; i < 100; ++i) {
    if (life.machine.shell) life.on(shell_exited);
    if (life.state() == "runcom") life.on(script_failed);
    life.on(all_gone);
    if (life.machine.shell) ++shells;
  }
  EXPECT_EQ(shells, 4);
}

TEST(InitShell, WithoutAShellOneSitsUntilTold) {
  Life life = in_single_user();
  EXPECT_EQ(life.on(shell_none), "");
  EXPECT_EQ(life.said("/bin/sh", ENOENT),
            "can't exec /bin/sh for single user: No such file or directory");
  EXPECT_EQ(life.machine.deadline, Machine::never);
  EXPECT_EQ(life.on(multi), "run_rc");
}

TEST(InitShell, AStoppedShellIsContinued) {
  Life life = in_single_user();
  EXPECT_EQ(life.on(shell_stopped), "continue_shell");
  EXPECT_EQ(life.said("/bin/sh"), "shell stopped, restarting");
}

// --- What a jail has otherwise ---

TEST(JailInit, AStartWhoseRcFailsIsReportedAndLeft) {
  Life life = life_with(RcFailure::remove);
  life.on(boot);
  EXPECT_EQ(life.on(script_failed), "answer_failed hang_up_sessions run_shutdown(reboot)");
  life.on(script_none), life.on(services_down);
  EXPECT_EQ(life.on(all_gone), "run_final");
  EXPECT_EQ(life.on(script_none), "leave");
  EXPECT_EQ(way_out(life.machine), WayOut::fail);
}

TEST(JailInit, AnRcThatFailsAfterSingleUserGoesBackThere) {
  Life life = life_with(RcFailure::remove, true);
  life.on(boot), life.on(single), life.on(all_gone);
  EXPECT_EQ(life.on(shell_exited), "run_rc");
  EXPECT_EQ(life.on(script_failed), "revoke_console term_all");
  EXPECT_EQ(life.on(all_gone), "start_shell");
}

TEST(JailInit, SingleUserWithoutAConsoleSitsWithoutAProcess) {
  // N17.1: no shell reads end of file, no rc runs again and again.
  Life life = life_with(RcFailure::single);
  life.on(boot), life.on(script_failed);
  EXPECT_EQ(life.on(all_gone), "answer_single");
  EXPECT_EQ(life.machine.deadline, Machine::never);
  EXPECT_EQ(life.on(console_there), "start_shell");
}

TEST(JailInit, AShellThatEndsWithItsConsoleDoesNotRunRc) {
  Life life = in_single_user();
  life.on(console_gone);
  EXPECT_EQ(life.on(shell_exited), "");
  EXPECT_EQ(life.state(), "single_user");
}

TEST(JailInit, MultiFromSingleUserEndsTheShellOnly) {
  Life life = in_single_user();
  EXPECT_EQ(life.on(multi), "revoke_console");
  EXPECT_EQ(life.on(shell_killed), "run_rc");
  EXPECT_EQ(life.said("/bin/sh"), "");

  life = in_single_user();
  life.on(multi);
  EXPECT_EQ(life.after(10), "kill_shell");
  EXPECT_EQ(life.on(shell_sigkilled), "run_rc");
}

TEST(JailInit, MultiOnTheWayToSingleUserGoesOnToRc) {
  Life life = in_multi_user();
  life.on(single);
  EXPECT_EQ(life.on(multi), "");
  life.on(script_none), life.on(services_down);
  EXPECT_EQ(life.on(all_gone), "run_rc");
  // And the other way round.
  life = in_multi_user();
  life.on(single), life.on(multi), life.on(single), life.on(script_none), life.on(services_down);
  EXPECT_EQ(life.on(all_gone), "start_shell");
}

TEST(JailInit, SingleInSingleUserEndsEverythingAgainAndTakesMultiBack) {
  Life life = in_single_user();
  life.on(multi);
  EXPECT_EQ(life.on(single), "revoke_console term_all");
  EXPECT_EQ(life.on(all_gone), "start_shell");
}

TEST(JailInit, ServicesThatAreDownEarlyDoNotCutRcShutdownShort) {
  Life life = in_multi_user();
  life.on(reboot);
  EXPECT_EQ(life.on(services_down), "");
  EXPECT_EQ(life.state(), "death");
}

TEST(JailInit, CatatoniaOfAnEarlierRcIsForgotten) {
  Life life = booting();
  life.on(catatonia), life.on(script_failed), life.on(all_gone), life.on(shell_exited);
  EXPECT_EQ(life.on(script_termed), "revoke_console term_all");
}

TEST(JailInit, WhatIsMarkedToEndTakesNoOtherWish) {
  Life life = in_multi_user();
  life.on(reboot);
  for (InitEvent event : {single, multi, boot, reload, catatonia}) {
    life.on(event);
    EXPECT_FALSE(life.step.taken) << name_of(event);
  }
}

TEST(JailInit, AStopIsAHaltThatLeaves) {
  EXPECT_EQ(down(in_multi_user(), stop), WayOut::leave);
  EXPECT_EQ(down(in_multi_user(), fail), WayOut::fail);
}

TEST(JailInit, AStopHasItsOwnTimes) {
  Life life = in_multi_user();
  life.machine.times = init_times(120, 3);
  life.on(stop), life.on(script_none), life.on(services_down);
  EXPECT_EQ(life.after(3), "kill_all");
  EXPECT_EQ(life.after(3), "run_final");  // before the host's 5 s are over
  // A stop.timeout of 0 sends no SIGTERM at all.
  life = in_multi_user();
  life.machine.times = init_times(120, 0);
  life.on(stop), life.on(script_none);
  EXPECT_EQ(life.on(services_down), "revoke_console kill_all");
}

TEST(JailInit, ServicesHaveTheTimeOfRcShutdownToo) {
  Life life = in_multi_user();
  life.on(stop);
  life.now += 100'000;
  EXPECT_EQ(life.on(script_done), "stop_services");
  EXPECT_EQ(life.after(20), "revoke_console term_all");
}

TEST(JailInit, ReapingItLeavesByAnyRequestToEndAndRunsNoScript) {
  for (InitEvent event : {stop, reboot, halt, poweroff}) {
    Life life;
    EXPECT_EQ(life.on(event), "revoke_console term_all");
    EXPECT_EQ(life.on(all_gone), "leave");
  }
  Life life;
  life.on(single);
  EXPECT_FALSE(life.step.taken);
}

TEST(JailInit, ItIsBootedOnce) {
  Life life = in_multi_user();
  life.on(boot);
  EXPECT_FALSE(life.step.taken);
  // Who asks while rc runs is answered with the first.
  life = life_with(RcFailure::single);
  EXPECT_EQ(life.on(multi), "run_rc(autoboot)");
  EXPECT_EQ(life.on(boot), "");
  EXPECT_TRUE(life.step.taken);
  EXPECT_EQ(life.on(script_done), "answer_ok read_ttys start_services");
}

TEST(JailInit, AHaltFailsTheStartThatWaits) {
  Life life = booting();
  life.on(halt);
  life.on(all_gone);
  EXPECT_EQ(life.on(script_none), "answer_failed leave");
}

TEST(JailInit, NoScriptRunsBesideOneThatCannotBeKilled) {
  Life life = booting();
  life.on(single);
  life.after(10);
  EXPECT_EQ(life.after(10), "answer_single start_shell");
  EXPECT_EQ(life.on(shell_exited), "start_shell");
  EXPECT_EQ(life.said(""), "some processes would not die; ps axl advised");
  life.on(script_killed);
  EXPECT_EQ(life.on(shell_exited), "run_rc");

  life = booting();
  life.on(reboot);
  life.after(10);
  EXPECT_EQ(life.after(10), "leave");
}

TEST(JailInit, TimesAreBounded) {
  EXPECT_EQ(init_times(INT64_MAX, INT64_MAX).shutdown, 31'536'000'000);
  EXPECT_EQ(init_times(INT64_MAX, INT64_MAX).term, 31'536'000'000);
  EXPECT_EQ(init_times(120, -1).term, 0);
  EXPECT_EQ(init_times(120, 10), InitTimes());
}

// --- Tables of requests ---

TEST(InitRequests, SignalsMeanWhatTheJailsOwnProgramsSend) {
  using enum SignalMeaning;
  EXPECT_EQ(request_of(freebsd, "TERM"), single);
  EXPECT_EQ(request_of(busybox, "TERM"), reboot);
  EXPECT_EQ(request_of(sysv, "TERM"), std::nullopt);
  EXPECT_EQ(request_of(freebsd, "WINCH"), powercycle);
  EXPECT_EQ(request_of(busybox, "WINCH"), std::nullopt);
  EXPECT_EQ(request_of(freebsd, "QUIT"), std::nullopt);
  for (SignalMeaning meaning : {freebsd, busybox, sysv}) {
    EXPECT_EQ(request_of(meaning, "HUP"), reload);
    EXPECT_EQ(request_of(meaning, "INT"), reboot);
    EXPECT_EQ(request_of(meaning, "PWR"), poweroff);
    EXPECT_EQ(request_of(meaning, "RTMIN+3"), halt);
    EXPECT_EQ(request_of(meaning, "RTMIN+4"), poweroff);
    EXPECT_EQ(request_of(meaning, "RTMIN+5"), reboot);
  }
}

TEST(InitRequests, WordsAreRequestsAndOnlyTheHostSaysStop) {
  for (const RequestWord& word : request_words()) {
    EXPECT_STREQ(word.name, name_of(word.event));
    EXPECT_LE(word.event, stop);
    EXPECT_EQ(word.host_only, word.event == stop);
  }
  EXPECT_EQ(find_row(request_words(), "fail"), nullptr);
}

TEST(InitRequests, InitctlHasSysvinitsRunLevels) {
  for (const char* level : {"2", "3", "4", "5"})
    EXPECT_EQ(find_row(initctl_levels(), level)->event, multi);
  EXPECT_EQ(find_row(initctl_levels(), "0")->event, poweroff);
  EXPECT_EQ(find_row(initctl_levels(), "6")->event, reboot);
  for (const char* level : {"1", "s", "S"})
    EXPECT_EQ(find_row(initctl_levels(), level)->event, single);
  for (const char* level : {"7", "a", "u", "U", ""})
    EXPECT_EQ(find_row(initctl_levels(), level), nullptr);
}

TEST(InitRequests, AScriptThatRunsByItselfIsNamedAlone) {
  EXPECT_EQ(text_of(InitSay::script_stopped, "", "/etc/rc", 0), "/etc/rc stopped, restarting");
  EXPECT_EQ(text_of(InitSay::nothing, "", "/etc/rc", 0), "");
}

}  // namespace
}  // namespace jail
