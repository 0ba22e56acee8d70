import Host
import Networks
import Pretexts

/// A value of a catalogued type in a recipe: `{name: flip, settings: {antisymmetric: false}}`.
///
/// Settings that are left out keep their defaults; a name or a setting that does not exist is refused, naming those that do.
public struct Choice: Codable, Hashable, Sendable {
  public var name: String
  public var settings: JSONValue

  public init(name: String, settings: JSONValue = .object([:])) {
    self.name = name
    self.settings = settings
  }

  private enum CodingKeys: String, CodingKey { case name, settings }

  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: CodingKeys.self)
    name = try box.decode(String.self, forKey: .name)
    settings = try box.decodeIfPresent(JSONValue.self, forKey: .settings) ?? .object([:])
  }

  public static func of(_ backbone: some Backbone) throws(InputError) -> Choice {
    Choice(name: type(of: backbone).name, settings: try JSONValue.of(backbone))
  }

  public static func of(_ augmentation: some Augmentation) throws(InputError) -> Choice {
    Choice(name: type(of: augmentation).name, settings: try JSONValue.of(augmentation))
  }

  public static func of(_ task: some PretextTask) throws(InputError) -> Choice {
    Choice(name: type(of: task).name, settings: try JSONValue.of(task))
  }

  public func backbone(path: String) throws(InputError) -> any Backbone {
    guard let type = BackboneCatalog.named(name) else { throw unknown(BackboneCatalog.all.map { $0.name }, path, "backbone") }
    let chosen = try value(type.init(), path: path, place: "backbone.settings")
    do { try chosen.validate() } catch { throw impossible(error, path, "backbone") }
    return chosen
  }

  public func task(path: String) throws(InputError) -> any PretextTask {
    guard let type = PretextTaskCatalog.named(name) else { throw unknown(PretextTaskCatalog.all.map { $0.name }, path, "task") }
    let chosen = try value(type.init(), path: path, place: "task.settings")
    do { try chosen.validate() } catch { throw impossible(error, path, "task") }
    return chosen
  }

  /// - Parameter place: where in the recipe, such as `augmentations.[0]`.
  public func augmentation(path: String, place: String) throws(InputError) -> any Augmentation {
    guard let type = AugmentationCatalog.named(name) else { throw unknown(AugmentationCatalog.all.map { $0.name }, path, place) }
    let chosen = try value(type.init(), path: path, place: "\(place).settings")
    do { try chosen.validate() } catch { throw impossible(error, path, place) }
    return chosen
  }

  public func optimizer(path: String) throws(InputError) -> any Optimizer {
    guard let type = OptimizerCatalog.named(name) else { throw unknown(OptimizerCatalog.all.map { $0.name }, path, "optimizer") }
    let chosen = try value(type.init(), path: path, place: "optimizer.settings")
    do { try chosen.validate() } catch { throw impossible(error, path, "optimizer") }
    return chosen
  }

  private func value<T: Codable>(_ usual: T, path: String, place: String) throws(InputError) -> T {
    try JSONValue.of(usual).overlaid(with: settings, path: path, place: place).decoded(as: T.self, path: path, place: place)
  }

  private func impossible(_ error: SettingError, _ path: String, _ place: String) -> InputError {
    InputError(path: path, place: "\(place).settings.\(error.key)", expected: error.expected, found: error.found)
  }

  private func unknown(_ known: [String], _ path: String, _ place: String) -> InputError {
    InputError(path: path, place: "\(place).name", expected: "one of \(known.joined(separator: ", "))", found: "\"\(name)\"")
  }
}

extension Backbone {
  /// Throws, naming the network and the sizes that it admits, unless pictures of `side`×`side` are among them.
  public func require(side: Int, path: String) throws(InputError) {
    do { try validate(height: side, width: side) } catch {
      throw InputError(path: path, place: error.key, expected: error.expected, found: error.found)
    }
  }
}
