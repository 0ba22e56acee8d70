import Foundation

/// A recipe that comes with the program: `psimagenet pretrain --recipe flip-xtcav-64`. One file of Recipes/ each.
public struct NamedRecipe: Sendable, Hashable {
  public let name: String
  public let yaml: String

  private init(_ name: String, _ bytes: [UInt8]) { (self.name, yaml) = (name, String(decoding: bytes, as: UTF8.self)) }

  public static let all: [NamedRecipe] = [
    NamedRecipe("blur", PackageResources.blur_yaml),
    NamedRecipe("crop-position", PackageResources.crop_position_yaml),
    NamedRecipe("crop-presence", PackageResources.crop_presence_yaml),
    NamedRecipe("crop-region", PackageResources.crop_region_yaml),
    NamedRecipe("dark-pattern", PackageResources.dark_pattern_yaml),
    NamedRecipe("flip", PackageResources.flip_yaml),
    NamedRecipe("flip-xtcav-64", PackageResources.flip_xtcav_64_yaml),
    NamedRecipe("gain-stage", PackageResources.gain_stage_yaml),
    NamedRecipe("inversion", PackageResources.inversion_yaml),
    NamedRecipe("jigsaw", PackageResources.jigsaw_yaml),
    NamedRecipe("masked-patches", PackageResources.masked_patches_yaml),
    NamedRecipe("multi", PackageResources.multi_yaml),
    NamedRecipe("one-frame", PackageResources.one_frame_yaml),
    NamedRecipe("patch-direction", PackageResources.patch_direction_yaml),
    NamedRecipe("photon-noise", PackageResources.photon_noise_yaml),
    NamedRecipe("prototypes", PackageResources.prototypes_yaml),
    NamedRecipe("shot-identity", PackageResources.shot_identity_yaml),
    NamedRecipe("shot-identity-augmented", PackageResources.shot_identity_augmented_yaml),
    NamedRecipe("shot-identity-cspad", PackageResources.shot_identity_cspad_yaml),
    NamedRecipe("shot-identity-timetool", PackageResources.shot_identity_timetool_yaml),
    NamedRecipe("shot-identity-xtcav", PackageResources.shot_identity_xtcav_yaml),
    NamedRecipe("shot-order", PackageResources.shot_order_yaml),
    NamedRecipe("simclr", PackageResources.simclr_yaml),
    NamedRecipe("simsiam", PackageResources.simsiam_yaml),
    NamedRecipe("supervised", PackageResources.supervised_yaml),
    NamedRecipe("symmetry", PackageResources.symmetry_yaml),
    NamedRecipe("thousand", PackageResources.thousand_yaml),
    NamedRecipe("tile-swap", PackageResources.tile_swap_yaml),
    NamedRecipe("turned-views", PackageResources.turned_views_yaml),
    NamedRecipe("vicreg", PackageResources.vicreg_yaml),
  ]

  public static func named(_ name: String) -> NamedRecipe? { all.first { $0.name == name } }
}
