/// A setting that no network or run can have; whoever read it adds the file.
public struct SettingError: Error, Hashable, Sendable {
  /// The key within the settings, such as `width`.
  public let key: String
  public let expected: String
  public let found: String

  public init(key: String, expected: String, found: String) {
    self.key = key
    self.expected = expected
    self.found = found
  }

  /// Throws unless `holds`.
  public static func require(_ holds: Bool, _ key: String, _ expected: String, _ found: some Any) throws(SettingError) {
    guard holds else { throw SettingError(key: key, expected: expected, found: "\(found)") }
  }
}

extension SettingError {
  /// Throws unless `value` lies in `range`.
  static func require(_ value: Int, in range: ClosedRange<Int>, _ key: String) throws(SettingError) {
    try require(range.contains(value), key, "\(range.lowerBound) to \(range.upperBound)", value)
  }

  /// Throws unless `rate` is a share of something that may be dropped.
  static func require(rate: Double, _ key: String) throws(SettingError) {
    try require((0..<1).contains(rate), key, "0 or more, below 1", rate)
  }
}
