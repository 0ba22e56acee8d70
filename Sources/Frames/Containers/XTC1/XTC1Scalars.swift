import Host

/// Beam-line numbers of XTC1 leaves, by names that carry their units.
///
/// Source: psddldata `bld.ddl`.
enum XTC1Scalars {
  /// The fields of EBeam in file order, f64 each from byte 4 on; the same order as the bits of its damage mask.
  static let eBeamFields = [
    "charge_nC", "L3Energy_MeV", "LTUPosX_mm", "LTUPosY_mm", "LTUAngX_mrad", "LTUAngY_mrad", "PkCurrBC2_A", "EnergyBC2_mm",
    "PkCurrBC1_A", "EnergyBC1_mm", "UndPosX_mm", "UndPosY_mm", "UndAngX_mrad", "UndAngY_mrad", "XTCAVAmpl_MV", "XTCAVPhase_deg",
    "DumpCharge_electrons", "PhotonEnergy_eV", "LTU250_mm", "LTU450_mm",
  ]
  /// How many of them each version of EBeam has, v0...v7.
  static let eBeamCounts = [6, 7, 8, 10, 14, 17, 20, 20]
  static let gasFields = ["f_11_ENRC_mJ", "f_12_ENRC_mJ", "f_21_ENRC_mJ", "f_22_ENRC_mJ", "f_63_ENRC_mJ", "f_64_ENRC_mJ"]

  static let phaseCavityFields = ["fitTime1_ps", "fitTime2_ps", "charge1_pC", "charge2_pC"]

  /// Adds the numbers of an EBeam, FEEGasDetEnergy or PhaseCavity leaf. EBeam fields that its mask marks as damaged are left out
  /// and counted.
  static func collect(_ leaf: XTC1Leaf, into scalars: inout [String: Double], skipped: inout [String: Int]) throws(InputError) {
    let version = Int(leaf.type.version)
    switch leaf.type.name {
    case "EBeam":
      guard version < eBeamCounts.count else {
        skipped["\(leaf.type)", default: 0] += 1
        return
      }
      let damaged = try leaf.payload.uint32(0)
      for (place, field) in eBeamFields.prefix(eBeamCounts[version]).enumerated() {
        let value = try leaf.payload.double(4 + 8 * place)
        if damaged >> UInt32(place) & 1 == 0 {
          scalars["ebeam.\(field)"] = value
        } else {
          skipped["ebeam.\(field) marked as damaged", default: 0] += 1
        }
      }
    case "FEEGasDetEnergy":
      for (place, field) in gasFields.prefix(version == 0 ? 4 : 6).enumerated() {
        scalars["gasDetector.\(field)"] = try leaf.payload.double(8 * place)
      }
    default:
      for (place, field) in phaseCavityFields.enumerated() {
        scalars["phaseCavity.\(field)"] = try leaf.payload.double(8 * place)
      }
    }
  }
}
