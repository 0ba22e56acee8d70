/// Every augmentation by name. One line per file of this folder.
public enum AugmentationCatalog {
  public static let all: [any Augmentation.Type] = [
    PhotonNoise.self, TileGain.self, ShotIntensity.self, Saturation.self, PixelDropout.self, BeamShift.self, GainStage.self,
    DarkPattern.self, Blur.self, Inversion.self, TileSwap.self, Turn.self,
  ]

  public static func named(_ name: String) -> (any Augmentation.Type)? { all.first { $0.name == name } }
}
