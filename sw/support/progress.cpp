#include "sw/support/progress.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <utility>

namespace abacus::support {
namespace {

constexpr double kQuietSeconds = 2;
constexpr double kTerminalSeconds = 0.2;
constexpr double kLineSeconds = 15;
constexpr int kBarWidth = 30;

double seconds_between(std::chrono::steady_clock::time_point from,
                       std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

void StageProgress::update(const std::string& stage, std::int64_t done, std::int64_t total) {
  if (bar_ == nullptr || stage != stage_) {
    bar_.reset();  // ends the last one's line first
    bar_ = std::make_unique<Progress>(stage, total);
    stage_ = stage;
  }
  bar_->update(done);
}

std::string duration_text(double seconds) {
  const auto whole = std::llround(seconds);
  char text[40];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  }
  return text;
}

Progress::Progress(std::string title, std::int64_t total, std::int64_t already_done)
    : title_(std::move(title)),
      total_(total),
      first_(already_done),
      start_(Clock::now()),
      last_shown_(start_),
      terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (terminal_ && shown_) std::fputc('\n', stderr);
}

void Progress::update(std::int64_t done, const std::string& note) {
  const Clock::time_point now = Clock::now();
  const double elapsed = seconds_between(start_, now);
  const double pause = terminal_ ? kTerminalSeconds : kLineSeconds;
  const bool finished = done >= total_;
  if (elapsed < kQuietSeconds || done <= first_) return;
  if (seconds_between(last_shown_, now) < pause && !(finished && shown_)) return;
  last_shown_ = now;
  shown_ = true;
  const double left =
      elapsed / static_cast<double>(done - first_) * static_cast<double>(total_ - done);
  const double fraction = static_cast<double>(done) / static_cast<double>(total_);
  std::string bar;
  if (terminal_) {
    const int filled = static_cast<int>(fraction * kBarWidth);
    bar = " [" + std::string(static_cast<std::size_t>(filled), '#') +
          std::string(static_cast<std::size_t>(kBarWidth - filled), '.') + "]";
  }
  std::fprintf(stderr, "%s%s%s %5.1f %%, %s left%s%s%s", terminal_ ? "\r" : "", title_.c_str(),
               bar.c_str(), 100 * fraction, duration_text(left).c_str(), note.empty() ? "" : "; ",
               note.c_str(), terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
}

}  // namespace abacus::support
