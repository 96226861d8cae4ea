#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>

#include "sw/regress/report.hpp"
#include "sw/support/output_file.hpp"

namespace abacus::regress {
namespace {

using Tree = boost::property_tree::ptree;

// XML has no way to say control characters.
std::string clean(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char byte) {
        const auto code = static_cast<unsigned char>(byte);
        return (code < 0x20 && byte != '\n' && byte != '\t') || code == 0x7F;
      },
      '?');
  return text;
}

Tree test_case(const Suite& suite, const CaseReport& report) {
  Tree tree;
  tree.put("<xmlattr>.classname", clean(suite.name));
  tree.put("<xmlattr>.name", clean(report.of.name));
  tree.put("<xmlattr>.time", report.seconds);
  if (report.passed()) return tree;
  Tree what;
  if (report.error.empty()) {
    const std::size_t runs = report.verdict.runs.size();
    what.put("<xmlattr>.message",
             std::to_string(runs) + (runs == 1 ? " run differs" : " runs differ"));
    what.put_value(clean(mismatch_table(report.verdict)));
    tree.add_child("failure", what);
  } else {
    what.put("<xmlattr>.message", "the simulation crashed");
    what.put_value(clean(report.error));
    tree.add_child("error", what);
  }
  return tree;
}

}  // namespace

void write_junit(const std::filesystem::path& file, const Suite& suite,
                 const std::vector<CaseReport>& reports) {
  Tree cases;
  double seconds = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  cases.put("<xmlattr>.name", clean(suite.name));
  for (const CaseReport& report : reports) {
    seconds += report.seconds;
    failures += !report.passed() && report.error.empty() ? 1 : 0;
    errors += report.error.empty() ? 0 : 1;
  }
  cases.put("<xmlattr>.tests", reports.size());
  cases.put("<xmlattr>.failures", failures);
  cases.put("<xmlattr>.errors", errors);
  cases.put("<xmlattr>.time", seconds);
  for (const CaseReport& report : reports) cases.add_child("testcase", test_case(suite, report));
  Tree root;
  root.add_child("testsuites.testsuite", cases);
  support::write_output(file,
                        [&](std::ostream& out) { boost::property_tree::write_xml(out, root); });
}

}  // namespace abacus::regress
