import Foundation
import Host

/// What only the publisher of a data set knows. Nothing here is guessed: what is not given is not written.
public struct ExportTerms: Hashable, Sendable {
  /// SPDX identifier of the terms.
  public var license: String
  public var creator: String?
  /// How to cite the data set.
  public var citation: String?
  /// Its page.
  public var url: String?
  /// When it is published, `2026-11-21`.
  public var date: String?
  public var version: String

  /// Throws for identifiers, dates and addresses of another form.
  public init(
    license: String, creator: String? = nil, citation: String? = nil, url: String? = nil, date: String? = nil, version: String = "1.0.0"
  ) throws(InputError) {
    func require(_ isGood: Bool, _ place: String, _ expected: String, _ found: String) throws(InputError) {
      guard isGood else { throw InputError(path: "", place: place, expected: expected, found: "\"\(found)\"") }
    }
    let isIdentifier = license.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || "-.+".utf8.contains($0) }
    try require(!license.isEmpty && isIdentifier, "license", "an SPDX identifier such as CC-BY-4.0", license)
    if let date {
      let parts = date.split(separator: "-", omittingEmptySubsequences: false)
      let isDate = parts.map(\.utf8.count) == [4, 2, 2] && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
      try require(isDate, "date", "a date such as 2026-11-21", date)
    }
    if let url { try require(url.hasPrefix("https://") || url.hasPrefix("http://"), "url", "an address that begins with https://", url) }
    let parts = version.split(separator: ".", omittingEmptySubsequences: false)
    try require(parts.count == 3 && parts.allSatisfy { Int($0) != nil }, "version", "three numbers such as 1.0.0", version)
    (self.license, self.creator, self.citation, self.url, self.date, self.version) = (license, creator, citation, url, date, version)
  }

  var licenseURL: String { "https://spdx.org/licenses/\(license).html" }
}
