import Foundation

/// A recipe that comes with the program: `psimagenet pretrain --recipe flip-xtcav-64`. One file of Recipes/ each.
public struct NamedRecipe: Sendable, Hashable {
  public let name: String
  public let yaml: String

  private init(_ name: String, _ bytes: [UInt8]) { (self.name, yaml) = (name, String(decoding: bytes, as: UTF8.self)) }

  public static let all: [NamedRecipe] = [
    NamedRecipe("flip-xtcav-64", PackageResources.flip_xtcav_64_yaml)
  ]

  public static func named(_ name: String) -> NamedRecipe? { all.first { $0.name == name } }
}
