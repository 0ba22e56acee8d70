/// Every pretext task by name. One line per file of this folder.
public enum PretextTaskCatalog {
  public static let all: [any PretextTask.Type] = [
    Flip.self, WhichSymmetry.self,
    CropPosition.self, CropPresence.self, CropRegion.self, PatchDirection.self, Jigsaw.self,
    SingleImage.self, ShotIdentity.self, SimCLR.self, VICReg.self, SimSiam.self, Prototypes.self, MaskedPatches.self,
    WhichInversion.self, WhichBlur.self, WhichPhotonNoise.self, WhichGainStage.self, WhichDarkPattern.self, WhichTileOrder.self, ShotOrder.self,
    FrameClass.self, Multi.self,
  ]

  public static func named(_ name: String) -> (any PretextTask.Type)? { all.first { $0.name == name } }
}
