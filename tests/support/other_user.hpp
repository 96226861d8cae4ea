// Work in a process of a user whom files' permissions hold back, as they do not the superuser.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace abacus::test {

// Runs `work` in a process of its own, without the superuser's rights where we have them, and returns the
// text that it gives or, of an exception, its message.
std::string as_plain_user(const std::function<std::string()>& work);

// Gives folder and files to that user.
void give_to_plain_user(const std::filesystem::path& path);

}  // namespace abacus::test
