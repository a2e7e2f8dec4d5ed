class SpaceModel: pass
