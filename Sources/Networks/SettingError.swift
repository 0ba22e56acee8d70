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
