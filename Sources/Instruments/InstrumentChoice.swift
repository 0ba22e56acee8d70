import Host

/// An instrument by name with the settings that differ from the usual, as recipes and the command line give it.
public struct InstrumentChoice: Codable, Hashable, Sendable {
  public var name: String
  public var settings: JSONValue

  public init(name: String, settings: JSONValue = .object([:])) { (self.name, self.settings) = (name, settings) }

  /// Throws where the name or a setting does not exist or does not fit, naming those that do.
  public func instrument(path: String) throws(InputError) -> any Instrument {
    guard let type = InstrumentCatalog.named(name) else {
      throw InputError(
        path: path, place: "instrument", expected: "one of \(InstrumentCatalog.all.map { $0.name }.joined(separator: ", "))", found: "\"\(name)\"")
    }
    return try configured(type.init(), path)
  }

  private func configured<T: Instrument>(_ usual: T, _ path: String) throws(InputError) -> T {
    try JSONValue.of(usual).overlaid(with: settings, path: path, place: "settings").decoded(as: T.self, path: path, place: "settings")
  }
}
